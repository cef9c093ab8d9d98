"""What may pass in and out: guards on deployments."""

"""Which models, versions, deployments and revisions exist, and where traffic goes."""

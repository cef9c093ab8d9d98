"""What customers subscribed to, what they paid ahead, and what they are invoiced."""

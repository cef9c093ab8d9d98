"""Who may do what, up to which limit."""

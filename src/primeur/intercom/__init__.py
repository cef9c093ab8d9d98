"""What the processes of one house say to each other."""

"""Reading what was attached: the kind of a file in this process, its contents in a limited child process."""

"""The Word face of a form: a file of content controls, made on demand from the edition and nothing else."""

"""
One file per job: a list of steps that reads aloud.

Every step may run twice, so it checks what exists before it acts. Importing a job registers it. Open first:
`bind_domain.py`.
"""

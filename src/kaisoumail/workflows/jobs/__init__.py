"""
One file, one job: a list of steps a stranger can read aloud.

Every step may run twice and looks before it acts; importing a job is what makes it startable. Open first:
`bind_domain.py`.
"""

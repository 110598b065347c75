"""The running processes. Each is a thin loop around the use cases of `intake`; what happens to a message is in
`intake/pipeline.py`.

`up` starts all of them on one machine; `jobs` works on what was kept; `collect` reads mailboxes; `deliver`
sends what is in the outbox; `maintain` heals and tidies. Any of them may be killed at any moment: the next one
goes on.
"""

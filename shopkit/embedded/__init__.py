"""A development server that speaks MongoDB's wire protocol over plain dicts, so that a clone runs with nothing else.

It knows the portable part of MongoDB that the services use, does that part as MongoDB does, and refuses the rest in a
sentence. Every write is in a SQLite file before it is answered, so it survives the process being killed at any moment
(WAL, `synchronous=NORMAL`); after a power cut the last moments may be missing, but what is there is whole.
"""

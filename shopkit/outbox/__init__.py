"""The outbox: what a change has to tell others is written with it, in its transaction, and delivered afterwards."""

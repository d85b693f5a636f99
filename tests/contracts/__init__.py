"""What the services may rely on from MongoDB, whichever server stands behind `MONGO_URL`.

Every expectation is MongoDB's documented behaviour; nothing here is particular to the embedded development store.
"""

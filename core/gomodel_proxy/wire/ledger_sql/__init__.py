"""The ledger in two tables of SQL, ``requests`` and ``attempts``: what every such store shares.

Columns and values, the conditions of a `Query`, the reports and how they are read; pure text and
values. Placeholders are question marks; `numbered` gives those of PostgreSQL. The tables are the
store's own, and so are its transactions.
"""

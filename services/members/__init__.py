"""Members: who people are and what they belong to.

Its sub-domains import downwards only: sessions → codes | accounts → people → areas, organisations | teams → people.
"""

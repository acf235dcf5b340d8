"""Codes: six digits sent to a phone, by which its owner signs in; stands on people."""

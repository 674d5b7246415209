"""Scores from tables: probability of default, points and reasons, in pure Python, in microseconds.

`artefact` reads what training wrote, `score` adds it up, `reasons` says it in plain English. `applicant` and
`member` turn what a person or a circle can tell into what the models know; `assessed` hands the result over
to assessments and member risk. Nothing but `assessed` needs more than the standard library, because importing
pydantic alone would take the 100 ms that a first score may take.
"""

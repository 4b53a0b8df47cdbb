"""Invented people for the demo Moodle: the same ones at every build."""

from __future__ import annotations

import random
import unicodedata
from typing import NamedTuple

_FIRST_NAMES = (
    "Ada", "Alan", "Amélie", "Anders", "Aylin", "Benoît", "Carla", "Chidi", "Clara", "Diego", "Dorothée", "Elif", "Emma",
    "Fatou", "Félix", "Grace", "Hana", "Inès", "Ivan", "Jonas", "Kaito", "Léa", "Linus", "Lucía", "Maëlle", "Mehdi", "Nils",
    "Noor", "Olga", "Paulo", "Priya", "Quentin", "Rosa", "Samir", "Sofia", "Théo", "Uma", "Viktor", "Wanda", "Yara", "Zoé",
)  # fmt: skip
_LAST_NAMES = (
    "Abadie", "Bauer", "Chevalier", "Dupont", "Eriksen", "Ferrari", "García", "Haddad", "Ivanov", "Jensen", "Keller", "Lefèvre",
    "Martin", "Nguyen", "Okafor", "Pereira", "Quesnel", "Rossi", "Schmidt", "Tanaka", "Urbain", "Van Dyck", "Weber", "Yilmaz",
)  # fmt: skip
_PLACES = (
    ("Paris", "FR"), ("Lyon", "FR"), ("Rennes", "FR"), ("Bruxelles", "BE"), ("Genève", "CH"), ("Berlin", "DE"), ("Milano", "IT"),
    ("Lisboa", "PT"), ("Dakar", "SN"), ("Montréal", "CA"),
)  # fmt: skip
_DEPARTMENTS = ("Sciences", "Humanities", "Engineering", "Languages")


class Person(NamedTuple):
    """Somebody, by the columns of Moodle's table user."""

    username: str
    firstname: str
    lastname: str
    email: str
    idnumber: str
    city: str
    country: str
    department: str


def invent_people(count: int) -> list[Person]:
    """Return so many people, no two of one username; more people begin with the same ones."""
    chance = random.Random(20_240_901)
    pairs = [(first, last) for first in _FIRST_NAMES for last in _LAST_NAMES]
    chance.shuffle(pairs)
    people = []
    for number, (first, last) in enumerate(pairs[:count], start=1):
        username = f"{_plain(first)}.{_plain(last)}"
        city, country = chance.choice(_PLACES)
        department = chance.choice(_DEPARTMENTS)
        email = f"{username}@example.org"
        people.append(Person(username, first, last, email, f"S{number:05}", city, country, department))
    return people


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in decomposed if letter.isascii() and letter.isalpha())

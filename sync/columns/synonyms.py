"""What other programs call our columns: for the help about an unknown one, never read as such.

Moodle's own labels in English, French, German, Spanish, Italian, Portuguese and Dutch, and what exports of other systems have.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches
from functools import lru_cache

from sync.columns.file_columns import Columns
from sync.columns.words import folded

# Nearer names are slips of the hand; further ones are other words ("Surname" isn't "username").
_NEAR = 0.84
_LONGEST_COMPARED = 60
_NUMBER_AT_END = re.compile(r"(.*?[a-z])(\d{1,3})")

# Columns that mean the same in different file types, of which the first that a file type has is suggested: what others call it.
_SYNONYMS = """
username uid userid: username user login loginid loginname accountname account nomdutilisateur identifiant anmeldename
username uid userid: benutzername nutzername uid userid usuario utente gebruikersnaam userlogin samaccountname
firstname: firstname givenname forename fname prenom vorname nombre nome voornaam first prenomeleve
lastname: lastname surname familyname lname sn nom nomdefamille nachname familienname apellido apellidos cognome achternaam
lastname: last
email: email emailaddress mail emailadress adressedecourriel courriel adressemail adresseemail adresseelectronique emailadresse
email: mailadresse correo correoelectronico useremail
idnumber uid userid: idnumber idno studentid studentnumber externalid sisid numerodidentification numeroidentification
idnumber uid userid: matricule numeroetudiant idnummer matrikelnummer personalnummer sisuserid
password: password motdepasse passwort kennwort newpassword contrasena
city: city citytown town ville stadt ort stadtort ciudad
country: country pays land selectacountry pais countrycode
phone1: phone telephone telefon phonenumber tel fixe telephonefixe
phone2: mobile mobilephone cellphone telephoneportable portable handy telephonemobile
department: department departement abteilung service
institution: institution etablissement school organisation organization
lang: language langue preferredlanguage langueprefere sprache
suspended: suspendedaccount comptesuspendu gesperrt
deleted: delete supprimer
description cdescription summary: description summary resume resumeducours coursesummary beschreibung
course1 cid courseid course shortname: course courseshortname coursecode nomabregeducours cours kurs kurskurzname courseid
course1 cid courseid course shortname: coursename
shortname cid courseid course: shortname nomabrege kurzname kurzbezeichnung code
fullname: fullname coursefullname nomcomplet nomcompletducours vollstandigername kursname title
category ccatcontext: category coursecategory categorie categoriedecours kategorie kursbereich
startdate starttime start1 enrolstart: startdate coursestartdate datededebut datededebutducours kursbeginn begin beginn
startdate starttime start1 enrolstart: validfrom from start starttime timestart
enddate endtime end1 enrolend: enddate courseenddate datedefin datedefinducours kursende ende validuntil until end endtime
enddate endtime end1 enrolend: timeend expires
visible: visible coursevisibility visibility visibiliteducours sichtbar
role1 rolename role: role rolename rolle rolshortname
group1 g1 groupid name: group groupname groupe nomdugroupe gruppe gruppenname
grouping: grouping groupingname groupement gruppierung
cohort cidnumber cname: cohort cohorte cohortid globalegruppe cohortname nomdelacohorte
cmd: cmd command operation action commande befehl
template: template templatecourse backupfile modele vorlage
enrol1 enrol: enrol enrolmentmethod methodedinscription enrolmethod enrolment einschreibemethode
username uid userid: nombredeusuario nomeutente nomedeusuario nomedeutilizador utilizador
firstname: nombres primernombre primeironome
lastname: sobrenome apelido apelidos ultimonome familienaam
email: direcciondecorreo direcciondecorreoelectronico direccionemail
email: indirizzoemail enderecodeemail enderecodecorreioeletronico emailadres
idnumber uid userid: numerodeid numerodeidentificacion codiceidentificativo matricola numerodeidentificacao matricula
password: senha palavrapasse wachtwoord parolachiave
city: ciudadpueblo citta cittalocalita localita cidade cidademunicipio localidade plaats stadplaats woonplaats
country: nazione paese
phone1: telefono telefone telefoon
phone2: movil telefonomovil cellulare celular telemovel mobieletelefoon
department: departamento dipartimento afdeling
institution: institucion istituzione istituto instituicao instelling
lang: idioma lingua taal
suspended: suspendido sospeso suspenso geschorst
description cdescription summary: descripcion descrizione descricao beschrijving
summary: resumendelcurso sommario sumario sumariodocurso samenvatting
course1 cid courseid course shortname: curso corso disciplina cursus
shortname cid courseid course: nombrecorto nombrecortodelcurso titoloabbreviato
shortname cid courseid course: nomeabbreviato nomebreve nomebrevedocurso nomecurto
shortname cid courseid course: nomecurtodadisciplina kortenaam kortecursusnaam kortenaamcursus
fullname: nombrecompleto nombrecompletodelcurso nomecompleto nomecompletodocurso nomecompletodadisciplina titolo titolodelcorso
fullname: titolocompleto volledigenaam volledigecursusnaam volledigenaamcursus
category ccatcontext: categoria categoriadecursos categoriadelcurso categoriadicorsi categoriadocurso cursuscategorie
startdate starttime start1 enrolstart: fechadeinicio fechadeiniciodelcurso datadiinizio datadiiniziodelcorso datainizio
startdate starttime start1 enrolstart: datadeinicio datadeiniciodocurso startdatum startdatumcursus inicio inizio
enddate endtime end1 enrolend: fechadefin fechafin fechadefinalizacion
enddate endtime end1 enrolend: fechadefinalizaciondelcurso datadifine datadifinecorso datafine
enddate endtime end1 enrolend: datadefim datadetermino datadeterminodocurso einddatum einddatumcursus
visible: visibile visivel zichtbaar
role1 rolename role: rol ruolo papel
group1 g1 groupid name: grupo gruppo groep
cohort cidnumber cname: coorte sitegroep
"""
_CANDIDATES = {
    word: names.split()
    for names, _colon, words in (line.partition(":") for line in _SYNONYMS.strip().splitlines())
    for word in words.split()
}


def suggestion(columns: Columns, name: str, *, takes_slips: bool = True) -> str:
    """Return the column of a file type that an unknown name was probably meant as, "" when none is a good guess.

    Shape: takes_slips: also one that is nearly written so, for which each name is compared with all
    """
    plain = plain_name(name)
    if not plain or len(plain) > _LONGEST_COMPARED:
        return ""
    known = _by_plain_name(columns.plain_names)
    found = known.get(plain) or next((c for c in _candidates(plain) if _is_known(columns, c)), "")
    if not found and takes_slips:
        near = get_close_matches(plain, known, 1, _NEAR)
        found = known[near[0]] if near else ""
    return found if found != name else ""


@lru_cache
def _by_plain_name(names: tuple[str, ...]) -> dict[str, str]:
    """Return how names look when they are compared -> the names: files may have thousands of columns."""
    return {plain_name(name): name for name in names}


def _candidates(plain: str) -> list[str]:
    if plain in _CANDIDATES:
        return _CANDIDATES[plain]
    if match := _NUMBER_AT_END.fullmatch(plain):
        return [_numbered(candidate, match[2]) for candidate in _CANDIDATES.get(match[1], ())]
    return []


def _numbered(candidate: str, number: str) -> str:
    """Return the name of a set with the number that was written: course2 -> course2, where there are sets."""
    return candidate.removesuffix("1") + number if candidate.endswith("1") and candidate[:-1] in _SETS else candidate


_SETS = frozenset(("course", "role", "group", "g", "start", "end", "enrol"))


def _is_known(columns: Columns, name: str) -> bool:
    found = columns.find(name)
    return found is not None and not found[0].ignored


def words_for(name: str, aliases: Collection[str] = ()) -> set[str]:
    """Return how a column may be called, as `plain_name` has it. Shape: name: canonical; aliases: of the column"""
    names = {name, *aliases}
    found = set(map(plain_name, names))
    number = _NUMBER_AT_END.fullmatch(plain_name(name))
    for word, candidates in _CANDIDATES.items():
        if not names.isdisjoint(candidates):
            found.add(word)
        if number and name in (_numbered(candidate, number[2]) for candidate in candidates):
            found.add(word + number[2])
    return found


def plain_name(name: str) -> str:
    """Return the name of a column as names are compared: in lower case, without accents, letters and digits alone."""
    return "".join(sign for sign in folded(name) if sign.isalnum())

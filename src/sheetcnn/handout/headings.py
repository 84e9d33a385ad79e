"""What the headings of rosters mean, in the words that school systems use."""

from __future__ import annotations

import re
import unicodedata

MAX_LETTERS = 100
# Headings are compared as letters and digits only: “E-Mail-Adresse” is emailadresse, “Prénom(s)” is prenom.
_WORDS = {
    "first": "first firstname firstnames givenname given forename forenames userfirstname "
    "vorname vornamen rufname prenom prenoms prenomeleve prenomdeleleve nombres voornaam imie fornavn",
    "last": "last lastname lastnames surname surnames familyname userlastname longname "
    "nachname nachnamen familienname zuname nomdefamille nomfamille nomdusage nomusage nomeleve langname "
    "apellido apellidos primerapellido apellidopaterno cognome achternaam nazwisko efternavn",
    "second": "segundoapellido apellidomaterno",
    # Beside a first name it is the last one, and the other way round; alone it is the whole name.
    "name": "name names nom noms nombre nome naam nomdeleleve nomdeletudiant",
    "full": "fullname student students studentname studentnames nameofstudent studentfullname pupil pupils pupilname "
    "learner learners learnername displayname participant participants participantname sortablename "
    "lastnamefirstname firstnamelastname surnamefirstname surnamename namesurname "
    "vollstandigername vollername gesamtername anzeigename namevorname vornamename vornamenachname nachnamevorname "
    "familiennamevorname schuler schulerin schulerinnen schulername nameschuler namedesschulers nameschulerin lernende "
    "teilnehmer teilnehmerin teilnehmende teilnehmername teilnehmerinnen studierende studierender studentin kandidat "
    "nomcomplet nometprenom nomprenom prenomnom prenometnom nomsetprenoms eleve eleves etudiant etudiante "
    "etudiants participante apprenant "
    "nombrecompleto nombreyapellido nombreyapellidos apellidosynombre apellidosnombre alumno alumna alumnos estudiante "
    "nomecompleto nomeecognome nomecognome cognomenome cognomeenome nominativo alunno alunni studente allievo",
    # The number in the list; a number of the student, where it does not count from 1.
    "running": "# no nr n lfd lfdnr lfdn laufendenummer nummer number numero num pos position index row zeile rang ordre sno",
    "role": "role roles rolle rollen rol ruolo ruoli status statut estado stato enrolledas usertype",
    "other": "section sections class classes klasse klassen group groups gruppe gruppen kurs kurse course division groupe "
    "groupes grupo gruppo classe lastaccess lastaccesstocourse letzterzugriff zuletztonline grade bewertung note "
    "calificacion valutazione gender geschlecht sexe sexo birthdate dateofbirth geburtsdatum datedenaissance "
    "institution department abteilung studiengang titel title anrede integrationid rootaccount jahrgang stufe "
    "startdate enddate maximumgrade bestwertung notemaximale",
}  # fmt: skip
# Which column is the number, where there are several: the school's own, then the system's, then the name at the log-in.
_NUMBERS = (
    "idnumber studentid studentnumber studentno studentnr registrationnumber orgdefinedid candidatenumber sid admissionnumber adno "
    "matrikelnummer matrikelnr matrikel matrnr matrnummer mtknr mtkn immatrikulationsnummer schulernummer schulernr schulerid "
    "idnummer matricule numeroetudiant numerodetudiant noetudiant netudiant nodetudiant ndetudiant codeetudiant numeroeleve "
    "numerodidentification numerodeid numerodeidentificacion numeroid dni matricola codiceidentificativo",
    "id userid personid personnr kennung identifier identifiant identificador identificativo externalid externeid "
    "eindeutigeid schlussel idcode upn nie",
    "sisuserid sisid",
    "username login loginid sisloginid loginname benutzername nutzername anmeldename benutzerkennung account "
    "nomdutilisateur nomutilisateur nombredeusuario usuario nomeutente uid",
)
# Rows that gradebooks have besides those of students, by what stands where the name would be.
_NO_STUDENT = (
    "pointspossible points maxpoints maximumpoints maximalpunktzahl maximalpunkte maxpunkte punkte date datum muted "
    "manualposting kursdurchschnitt klassendurchschnitt classaverage average overallaverage gesamtdurchschnitt durchschnitt mittelwert moyenne moyennedelaclasse "
    "moyennegenerale promedio mediadellaclasse fecha puntos data punti summe gesamt total totals anzahl starthissheet endhissheet"
)
NO_STUDENT = frozenset(_NO_STUDENT.split())
_MEANS = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_RANK = {word: rank for rank, words in enumerate(_NUMBERS) for word in words.split()}
_MAIL = re.compile(
    r"\w*email\w*|e?mail(adress\w*)?|\w*courriel|adresse(mail|mel|electronique)|\w*correo(electronico)?|postaelettronica"
)
_WHOSE = re.compile(r"\A(studenten|students?|pupils?|learner|legal|official|user|schuler|teilnehmer)")
# A family's address is not the student's, and a second one not the first.
_NO_MAIL = re.compile(
    r"eltern|parent|guardian|mutter|vater|mother|father|respons|tutor|erziehung|weitere|altern|second|zweit"
)


def plain(text: str) -> str:
    """A heading's letters and digits, without accents, case, what stands in brackets and a second gender's ending."""
    text = text[:MAX_LETTERS]  # more is no heading, and these patterns take the square of its length
    text = re.sub(r"\([^)]*\)|\[[^\]]*\]|[/*:_·](innen|in|r|e|es|a|as|o|os)\b", "", text)
    text = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return re.sub(r"[^a-z0-9#]", "", text.casefold().replace("ø", "o").replace("æ", "ae"))


def meaning(heading: str) -> str:
    """What a heading says of its column: first, last, second, name, full, email, number, running, role, other, or nothing."""
    word = plain(heading)
    if len(word) > 40 or len(heading) > MAX_LETTERS:
        return ""
    for one in (word, _WHOSE.sub("", word)):
        if kind := _MEANS.get(one) or ("number" if one in _RANK else ""):
            return kind
    if _MAIL.fullmatch(word):
        return "other" if _NO_MAIL.search(word) else "email"
    return ""


def rank(heading: str) -> int:
    """How far a number is from being the school's own."""
    word = plain(heading)
    return _RANK.get(word, _RANK.get(_WHOSE.sub("", word), len(_NUMBERS)))


def means_name(meanings: list[str]) -> bool:
    """Whether one of the columns holds names."""
    return not {"first", "last", "name", "full"}.isdisjoint(meanings)


def is_worksheet(headings: list[str]) -> bool:
    """Whether these are the headings of Moodle's offline grading worksheet: what identifies, and when it was graded."""
    words = [plain(heading.replace("(", " ").replace(")", " ")) for heading in headings]
    graded = ("lastmodifiedgrade", "zuletztgeandertbewertung", "dernieremodificationnote", "ultimamodificacioncalificacion")
    return words[:1] in (
        ["identifier"],
        ["id"],
        ["identifiant"],
        ["identificador"],
        ["identificativo"],
        ["codiceidentificativo"],
    ) and (not {*graded, "ultimamodificavalutazione"}.isdisjoint(words))


# First names that are hardly ever last ones: they tell which of two columns without headings is which.
_GIVEN = (
    "adam aisha alejandro alessandro alessia alex alexander alexandra alice ali amelie amina amy ana anastasia andrea andreas "
    "andrew anna anne anton antonio anton arthur aylin ayse barbara beatrice ben benjamin bernd bob camille carla carlos "
    "carolin caroline catherine cem charlotte chiara chloe chris christian christina christine claudia clara daniel daniela "
    "david diana dieter elena elias elif elisa elisabeth elizabeth ella emil emilia emily emine emma enzo eric erik eva fatima "
    "fatma felix finn florian francesca francesco frida gabriel giulia giuseppe greta hannah hans hassan heike helen helena "
    "hugo ida ines isabel isabella ivan jack jacob jakob james jan jana jannik javier jean jennifer jessica joao johanna john "
    "jonas jorge jose julia julian juliette jurgen karl katharina kevin klaus lara laura lea leila lena leo leon leonie leonardo "
    "lina linda lisa lorenzo louis louise luca lucas lucia lucie luis luisa lukas maria mariam marie mario mark markus marta mary "
    "mateo matteo matthias maximilian mehmet melanie mia michael miguel mila mohamed mohammed moritz muhammad mustafa nadia "
    "natalie nele nicolas nicole nikolai nina noah nora olga oliver olivia omar oskar pablo patricia patrick paula pedro peter "
    "philipp pierre rachel raphael rebecca robert rosa sabine sally samuel sandra sara sarah sebastian sofia sofie sophia sophie "
    "stefan stefanie stephen sven tim tina tobias tom ursula uwe valentina vanessa victoria wolfgang yasmin yusuf zoe"
)
GIVEN = frozenset(_GIVEN.split())

CANVAS = (
    "Student",
    "LastName",
    "FirstName",
    "ID",
    "SIS User ID",
    "SIS Login ID",
    "Integration ID",
    "Root Account",
    "Section",
)


def is_canvas(headings: list[str]) -> bool:
    """Whether these are the headings of Canvas's gradebook, which are the same in all languages."""
    return headings[:1] in (["Student"], ["LastName"]) and {"ID", "Section"} <= set(headings)

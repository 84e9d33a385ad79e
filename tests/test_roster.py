"""Rosters: the people in files as school systems write them, each once, or one line that says what is wrong."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

import openpyxl
import pytest

from sheetcnn.cli import main
from sheetcnn.errors import ExerciseError
from sheetcnn.handout import table
from sheetcnn.handout.grader import read_key
from sheetcnn.handout.headings import meaning
from sheetcnn.handout.roster import Roster, read_roster
from sheetcnn.handout.student import Student
from sheetcnn.handout.writer import hand_out

Person = tuple[str, str, str]


def read(tmp_path: Path, text: str | bytes, encoding: str = "utf-8") -> Roster:
    path = tmp_path / "roster.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return read_roster(path)


def people(roster: Roster) -> list[Person]:
    return [(student.name, student.email, student.number) for student in roster.students]


ANNA, BOB = ("Anna Schmidt", "a@x.org", "101"), ("Bob Jones", "b@x.org", "102")
BOTH = [ANNA, BOB]
NAMES = [("Anna Schmidt", "", ""), ("Bob Jones", "", "")]
MAILS = [("Anna Schmidt", "a@x.org", ""), ("Bob Jones", "b@x.org", "")]
NUMBERS = [("Anna Schmidt", "", "101"), ("Bob Jones", "", "102")]

FILES: dict[str, tuple[str, list[Person]]] = {
    # Moodle: participants, grades, the worksheet of an assignment; in English, German, French, Spanish, Italian.
    "moodle participants": (
        'First name,Last name,Email address\nAnna,Schmidt,a@x.org\nBob,Jones,b@x.org\nAnna,Meyer,c@x.org\n',
        [*MAILS, ("Anna Meyer", "c@x.org", "")],
    ),
    "moodle quoted": (
        '\ufeff"First name","Last name","ID number","Email address",Groups\n"Anna","Schmidt","101","a@x.org",\n"Bob","Jones","102","b@x.org","A, B"\n',
        BOTH,
    ),
    "moodle with teachers": (
        "First name,Last name,Email address,Roles,Groups,Last access to course,Status\n"
        "Anna,Schmidt,a@x.org,Student,No groups,1 day,Active\nTina,Lehmann,t@x.org,\"Teacher, Manager\",,now,Active\n"
        "Uwe,Kurz,u@x.org,Non-editing teacher,,now,Active\nBob,Jones,b@x.org,\"Student, Teaching assistant\",,Never,Active\n",
        MAILS,
    ),
    "moodle grades": (
        "First name,Last name,ID number,Institution,Department,Email address,Assignment: HW1 (Real),Course total (Real),"
        "Last downloaded from this course\nAnna,Schmidt,101,,,a@x.org,7.50,-,1700000000\nBob,Jones,102,,,b@x.org,-,-,1700000000\n",
        BOTH,
    ),
    "moodle grades with an average": (
        "First name,Last name,ID number,Email address,Course total\nAnna,Schmidt,101,a@x.org,7\nBob,Jones,102,b@x.org,9\n"
        "Overall average,,,,8\n",
        BOTH,
    ),
    "moodle german": (
        "Vorname;Nachname;ID-Nummer;E-Mail-Adresse;Rollen\nAnna;Schmidt;101;a@x.org;Teilnehmer/in\nBob;Jones;102;b@x.org;Teilnehmer/in\n"
        "Tina;Lehmann;1;t@x.org;Trainer/in ohne Bearbeitungsrecht\n",
        BOTH,
    ),
    "moodle french": (
        "Prénom,Nom de famille,Numéro d'identification,Adresse de courriel\nAnna,Schmidt,101,a@x.org\nBob,Jones,102,b@x.org\n",
        BOTH,
    ),
    "moodle spanish": (
        "Nombre,Apellido(s),Número de ID,Dirección de correo\nAnna,Schmidt,101,a@x.org\nBob,Jones,102,b@x.org\n",
        BOTH,
    ),
    "moodle italian": ("Nome,Cognome,Codice identificativo,Indirizzo email\nAnna,Schmidt,101,a@x.org\nBob,Jones,102,b@x.org\n", BOTH),
    "moodle worksheet": (
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (submission),"
        "Last modified (grade),Feedback comments\n"
        'Participant 101,Anna Schmidt,a@x.org,Submitted for grading - ,,10.00,Yes,"Monday, 3 March 2025, 9:15 AM",-,\n'
        "Participant 102,Bob Jones,b@x.org,No submission - ,,10.00,Yes,-,-,\n",
        [("Anna Schmidt", "a@x.org", "Participant 101"), ("Bob Jones", "b@x.org", "Participant 102")],
    ),
    "moodle worksheet german": (
        'ID,"Vollständiger Name",ID-Nummer,E-Mail-Adresse,Status,Bewertung,Bestwertung,"Bewertung kann geändert werden",'
        '"Zuletzt geändert (Bewertung)","Feedback als Kommentar"\n'
        'Teilnehmer/in7,"Anna Schmidt",101,a@x.org,"Zur Bewertung abgegeben",,"10,00",Ja,-,\n'
        'Teilnehmer/in8,"Bob Jones",102,b@x.org,"Keine Abgabe",,"10,00",Ja,-,\n',
        BOTH,
    ),
    # Canvas
    "canvas": (
        "Student,ID,SIS User ID,SIS Login ID,Section,HW1 (123),Current Score\n,,,,,Manual Posting,\n    Points Possible,,,,,10,(read only)\n"
        '"Schmidt, Anna",101,s1,anna,Sec1,,\n"Jones, Bob",102,s2,bob,"Sec1 and Sec2",7,70\n"Student, Test",103,,abc,Sec1,,\n',
        NUMBERS,
    ),
    "canvas first and last": (
        "LastName,FirstName,ID,SIS Login ID,Section,HW1 (123)\n    Points Possible,,,,,10\nSchmidt,Anna,101,a,S,\nJones,Bob,102,b,S,\n"
        "Student,Test,103,c,S,\n",
        NUMBERS,
    ),
    "canvas in Europe": (
        'Student;ID;SIS Login ID;Section;HW1 (1)\n    Points Possible;;;;10,5\nSchmidt, Anna;101;anna;S;\n"Jones, Bob";102;bob;S;9,5\n',
        NUMBERS,
    ),
    # Google Classroom, Blackboard, Brightspace, Outlook
    "classroom": ("Last Name,First Name,Email Address\nSchmidt,Anna,a@x.org\nJones,Bob,b@x.org\n", MAILS),
    "classroom grades": (
        "Last Name,First Name,Email Address,HW1\nDate,,,2025-03-01\nPoints,,,10\nClass Average,,,8\nSchmidt,Anna,a@x.org,7\nJones,Bob,b@x.org,9\n",
        MAILS,
    ),
    "google admin": ("First Name [Required],Last Name [Required],Email Address [Required]\nAnna,Schmidt,a@x.org\nBob,Jones,b@x.org\n", MAILS),
    "blackboard": (
        '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Last Access"\t"HW1 [Total Pts: 10 Score] |5"\n'
        '"Schmidt"\t"Anna"\t"aschmidt"\t"101"\t""\t""\n"Jones"\t"Bob"\t"bjones"\t"102"\t""\t"3"\n',
        NUMBERS,
    ),
    "brightspace": (
        "OrgDefinedId,Username,Last Name,First Name,Email,HW1 Points Grade,End-of-Line Indicator\n"
        "#101,#aschmidt,Schmidt,Anna,a@x.org,,#\n#102,#bjones,Jones,Bob,b@x.org,,#\n",
        BOTH,
    ),
    "mail list": ('Anna Schmidt <a@x.org>\n"Jones, Bob" <b@x.org>\n', MAILS),
    # German systems
    "german": ("Nachname;Vorname;E-Mail\nSchmidt;Anna;a@x.org\nJones;Bob;b@x.org\n", MAILS),
    "matriculation": ("Matrikelnr.;Name;Vorname;E-Mail-Adresse\n101;Schmidt;Anna;a@x.org\n102;Jones;Bob;b@x.org\n", BOTH),
    "name, vorname": ('Nr.;"Name, Vorname";Klasse\n1;Schmidt, Anna;10b\n2;Jones, Bob;10b\n', NAMES),
    "stud.ip": (
        '"Status";"Anrede";"Titel";"Vorname";"Nachname";"Titel nachgestellt";"Benutzername";"E-Mail";"Matrikelnummer"\n'
        '"dozent";"Frau";"Dr.";"Tina";"Lehmann";"";"tl";"t@x.org";""\n"autor";"";"";"Anna";"Schmidt";"";"as";"a@x.org";"101"\n'
        '"autor";"";"";"Bob";"Jones";"";"bj";"b@x.org";"102"\n"tutor";"";"";"Uwe";"Kurz";"";"uk";"u@x.org";"9"\n',
        BOTH,
    ),
    "ilias": (
        'Name;Anmeldename;Rolle\n"Schmidt, Anna";101;Kursmitglied\n"Jones, Bob";102;Kursmitglied\n"Lehmann, Tina";1;Kursadministrator\n',
        NUMBERS,
    ),
    "his": (
        "Einführung;;;\nstartHISsheet;;;endHISsheet\nmtknr;nachname;vorname;bewertung\n101;Schmidt;Anna;\n102;Jones;Bob;\nendHISsheet;;;\n",
        NUMBERS,
    ),
    "vips with a row of points": (
        "Nachname;Vorname;Kennung;Matrikelnr.;Blatt 1;Summe\n;;;;10;10\nSchmidt;Anna;as;101;8;8\nJones;Bob;bj;102;9;9\n",
        NUMBERS,
    ),
    "webuntis": (
        "name\tlongName\tforeName\tgender\tbirthDate\tklasse.name\tid\nSchmA\tSchmidt\tAnna\tW\t01.02.2010\t10b\t101\nJoneB\tJones\tBob\tM\t\t10b\t102\n",
        NUMBERS,
    ),
    "a title above": ("Klasse 10b;;\nStand: 1.9.2025\n\nLfd. Nr.;Familienname;Rufname\n1;Schmidt;Anna\n2;Jones;Bob\n", NAMES),
    # French systems
    "pronote": ("Élève;Né(e) le;Classe\nSCHMIDT Anna;01/02/2010;2nde 3\nJONES Bob;;2nde 3\n", [("SCHMIDT Anna", "", ""), ("JONES Bob", "", "")]),
    "école directe": ("Nom;Prénom;Classe;Adresse e-mail\nSchmidt;Anna;3A;a@x.org\nJones;Bob;3A;b@x.org\n", MAILS),
    "apogée": ("N° étudiant;Nom d'usage;Prénom(s);Courriel étudiant\n101;Schmidt;Anna;a@x.org\n102;Jones;Bob;b@x.org\n", BOTH),
    # How files are written
    "sep=": ("sep=;\r\nname;id\r\nAnna Schmidt;101\r\nBob Jones;102\r\n", NUMBERS),
    "sep=, quoted": ('"sep=,"\nname,id\nAnna Schmidt,101\nBob Jones,102\n', NUMBERS),
    "sep= tab": ("sep=\t\nname\tid\nAnna Schmidt\t101\nBob Jones\t102\n", NUMBERS),
    "bars": ("Name|E-Mail\nAnna Schmidt|a@x.org\nBob Jones|b@x.org\n", MAILS),
    "old Mac": ("Name;E-Mail\rAnna Schmidt;a@x.org\rBob Jones;b@x.org\r", MAILS),
    "empty columns and rows": (";;;;\nName;;E-Mail;;;\n;;;\nAnna Schmidt;;a@x.org;;;\n\n   \nBob Jones;;b@x.org;;;\n;;;;;\n", MAILS),
    "comments": ("# Klasse 10b; Stand 2025, vorläufig\nName;E-Mail\nAnna Schmidt;a@x.org\n# krank\nBob Jones;b@x.org\n", MAILS),
    "comments only above": ("# 2025\nAnna Schmidt\nBob Jones\n", NAMES),
    "headings as a comment": ("# Vorname; Nachname\nAnna;Schmidt\nBob;Jones\n", NAMES),
    "a column called #": ("#,Name,Email\n1,Anna Schmidt,a@x.org\n2,Bob Jones,b@x.org\n", MAILS),
    "no-break spaces": ("Name;E-Mail\nAnna\u00a0Schmidt;\u200ea@x.org\n  Bob   Jones ;b@x.org\u200b\n", MAILS),
    "numbers as Excel keeps them": ('Name;Matrikelnummer\nAnna Schmidt;="00101"\nBob Jones;\'00102\n', [("Anna Schmidt", "", "00101"), ("Bob Jones", "", "00102")]),
    "headings repeated": ("Name;ID\nAnna Schmidt;101\nName;ID\nBob Jones;102\n", NUMBERS),
    # Names
    "last, first": ('Name,Email\n"Schmidt, Anna",a@x.org\n"Jones, Bob",b@x.org\n', MAILS),
    "last, first without quotes": ("Name,Email\nSchmidt, Anna,a@x.org\nJones, Bob,b@x.org\n", MAILS),
    "last, first alone": ("Name\nSchmidt, Anna\nJones, Bob\n", NAMES),
    "name and its parts": ("Name,First name,Last name\nSchmidt A.,Anna,Schmidt\nJones B.,Bob,Jones\n", NAMES),
    "whole name and first name": ("Name;Vorname\nSchmidt, Anna;Anna\nJones, Bob;Bob\n", NAMES),
    "surname, name": ("Surname;Name\nSchmidt;Anna\nJones;Bob\n", NAMES),
    "one name only": ("First name,Last name,Email\nAnna,,a@x.org\n,Jones,b@x.org\n", [("Anna", "a@x.org", ""), ("Jones", "b@x.org", "")]),
    "suffixes": ('Name\n"Jones, Jr."\n"King, Jr., Martin"\n"Schmidt, Dr. Anna"\n', [("Jones, Jr.", "", ""), ("King, Jr., Martin", "", ""), ("Dr. Anna Schmidt", "", "")]),
    "apostrophes": ("Name\nGerard 't Hooft\n't Hooft\nO'Brien\n", [("Gerard 't Hooft", "", ""), ("'t Hooft", "", ""), ("O'Brien", "", "")]),
    "surnames that are headings": ("Schüler;Anna\nJones;Bob\n", [("Anna Schüler", "", ""), ("Bob Jones", "", "")]),
    "names like mail": ("Ismail Öz\nLea Maillard\nMel Nele\n", [("Ismail Öz", "", ""), ("Lea Maillard", "", ""), ("Mel Nele", "", "")]),
    # Without headings
    "names only": ("Anna Schmidt\nBob Jones\n\n", NAMES),
    "first names only": ("Anna\nBob\n", [("Anna", "", ""), ("Bob", "", "")]),
    "names, some with a comma": ("Anna Schmidt\nJones, Bob\nCem Öz\n", [*NAMES, ("Cem Öz", "", "")]),
    "unquoted last, first": ("Schmidt, Anna\nJones, Bob\nSchmidt, Ben\n", [*NAMES, ("Ben Schmidt", "", "")]),
    "quoted last, first": ('"Schmidt, Anna"\n"Jones, Bob"\n', NAMES),
    "last; first": ("Schmidt;Anna\nJones;Bob\n", NAMES),
    "last; first; mail": ("Schmidt;Anna Maria;a@x.org\nJones;Bob;b@x.org\n", [("Anna Maria Schmidt", "a@x.org", ""), MAILS[1]]),
    "capitals tell": ("Anna;SCHMIDT\nBob;JONES\n", [("Anna SCHMIDT", "", ""), ("Bob JONES", "", "")]),
    "addresses tell": ("Anna;Müller;anna.muller@x.org\nBob;Jones;bob.jones@x.org\n", [("Anna Müller", "anna.muller@x.org", ""), ("Bob Jones", "bob.jones@x.org", "")]),
    "name; mail": ("Anna Schmidt;a@x.org\nBob Jones;b@x.org\n", MAILS),
    "mail, name": ("a@x.org,Anna Schmidt\nb@x.org,Bob Jones\n", MAILS),
    "name; number": ("Anna Schmidt;101\nBob Jones;102\n", NUMBERS),
    "running number": ("1;Anna Schmidt\n2;Bob Jones\n", NAMES),
    "running number; number": ("1;101;Anna Schmidt\n2;102;Bob Jones\n", NUMBERS),
    "numbered lines": ("1. Anna Schmidt\n2. Bob Jones\n", NAMES),
    "name; class": ("Anna Schmidt;10b\nBob Jones;10b\n", NAMES),
    "last; first; class; gender": ("Schmidt;Anna;10b;w\nJones;Bob;10b;m\nÖz;Cem;10b;m\n", [*NAMES, ("Cem Öz", "", "")]),
    "log-in name": ("aschmidt;Anna Schmidt\nbjones;Bob Jones\n", NAMES),
    "headings in another language": ("Deltagare;E-post\nAnna Schmidt;a@x.org\nBob Jones;b@x.org\n", MAILS),
    "no heading for the name": ("E-Mail;Wer\na@x.org;Anna Schmidt\nb@x.org;Bob Jones\n", MAILS),
    "first; last": ("Anna;Schmidt\nBob;Jones\n", NAMES),
    "the order tells": ("Ulf;Ahlers\nJost;Brandt\nOrla;Cohen\nKaja;Dorn\n",
                        [("Ulf Ahlers", "", ""), ("Jost Brandt", "", ""), ("Orla Cohen", "", ""), ("Kaja Dorn", "", "")]),
    "bullets": ("- Anna Schmidt\n• Bob Jones\n", NAMES),
    # More systems
    "iserv": ('"Account","Vorname","Nachname","Klasse/Information"\n"101","Anna","Schmidt","10b"\n"102","Bob","Jones","10b"\n', NUMBERS),
    "untis": ("Klasse;Langname;Vorname;Schlüssel (extern)\n10b;Schmidt;Anna;101\n10b;Jones;Bob;102\n", NUMBERS),
    "teams": ("Name,Email,Role\nTina Lehmann,t@x.org,Owner\nAnna Schmidt,a@x.org,Member\nBob Jones,b@x.org,Member\n", MAILS),
    "gradescope": ("First Name,Last Name,SID,Email,Sections\nAnna,Schmidt,101,a@x.org,S\nBob,Jones,102,b@x.org,S\n", BOTH),
    "infinite campus": ("Student Number,Student Last Name,Student First Name,Grade\n101,Schmidt,Anna,10\n102,Jones,Bob,10\n", NUMBERS),
    "sims": ("Legal Surname,Legal Forename,Adno\nSchmidt,Anna,101\nJones,Bob,102\n", NUMBERS),
    "canvas users": (
        'canvas_user_id,user_id,login_id,first_name,last_name,full_name,sortable_name,email,status\n'
        '7,101,as,Anna,Schmidt,Anna Schmidt,"Schmidt, Anna",a@x.org,active\n8,102,bj,Bob,Jones,Bob Jones,"Jones, Bob",b@x.org,active\n',
        BOTH,
    ),
    "moodle, names in one": ('"Vorname / Nachname";"E-Mail-Adresse"\n"Anna Schmidt";a@x.org\n"Bob Jones";b@x.org\n', MAILS),
    "addresses of parents": ("Nom;Prénom;E-mail responsable\nSchmidt;Anna;p@x.org\nJones;Bob;q@x.org\n", NAMES),
    "of the pupil": ("Nom de l'élève;Prénom de l'élève\nSchmidt;Anna\nJones;Bob\n", NAMES),
    "two last names": ("Primer apellido;Segundo apellido;Nombre\nGarcía;López;Ana\n", [("Ana García López", "", "")]),
    "both genders": ("Alumno/a;NIE\nGarcía López, Ana;101\n", [("Ana García López", "", "101")]),
    "notes below": ("Nr.;Name;E-Mail\n1;Anna Schmidt;a@x.org\n2;Bob Jones;b@x.org\n\nAnzahl: 2\n;Stand: 1.9.2025\n", MAILS),
    "lines in quotation marks": ('"Nachname;Vorname"\n"Schmidt;Anna"\n"Jones;Bob"\n', NAMES),
    "an empty column of a known name": ("Name;Datum\nAnna Schmidt;\nBob Jones;\n", NAMES),
    # As before
    "name, group": ("name,group\nAnna,1\nBo,2\n", [("Anna", "", ""), ("Bo", "", "")]),
    "group; name": ("group;Name\n1;Åsa Öberg\n", [("Åsa Öberg", "", "")]),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_people(tmp_path: Path, kind: str) -> None:
    text, expected = FILES[kind]
    assert people(read(tmp_path, text)) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    roster = read(tmp_path, "Nachname\tVorname\tE-Mail\r\nÖz\tZoë\tz@x.org\r\nGroß\tŠtefan\ts@x.org\r\n", encoding)
    assert people(roster) == [("Zoë Öz", "z@x.org", ""), ("Štefan Groß", "s@x.org", "")]
    assert [remark for remark in roster.remarks if "1252" in remark] == list(roster.remarks)
    assert bool(roster.remarks) == (encoding == "cp1252")


def test_old_mac(tmp_path: Path) -> None:
    roster = read(tmp_path, "Name\rJürgen Müller\r", "mac_roman")
    assert (people(roster), "old Mac" in roster.remarks[0]) == ([("Jürgen Müller", "", "")], True)


def test_big_endian(tmp_path: Path) -> None:
    assert people(read(tmp_path, b"\xfe\xff" + "Name\nÖz\n".encode("utf-16-be"))) == [("Öz", "", "")]


def workbook(path: Path, *sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_workbooks(tmp_path: Path) -> None:
    """The first sheet that has cells; numbers as people write them."""
    rows: list[list[object]] = [
        ["Klasse 10b"], [], ["Nr.", "Nachname", "Vorname", "Matrikelnummer", None, "E-Mail"],
        [1, "Schmidt", "Anna", 101.0, None, "a@x.org"], [2, "Jones", "Bob", 102, None, "b@x.org"], ["Summe", None, None, None, None, None],
    ]  # fmt: skip
    roster = read_roster(workbook(tmp_path / "r.xlsx", [], rows, [["Name"], ["Nobody"]]))
    assert people(roster) == BOTH
    assert roster.remarks[0] == "line 1 above the headings: left out"
    (tmp_path / "r.xlsx").rename(tmp_path / "r.csv")  # what a file is, and not its name, counts
    assert people(read_roster(tmp_path / "r.csv")) == BOTH


def test_workbooks_without_rows(tmp_path: Path) -> None:
    with pytest.raises(ExerciseError, match="has no students"):
        read_roster(workbook(tmp_path / "empty.xlsx", []))
    (tmp_path / "bad.xlsx").write_bytes(b"PK\x03\x04 and nothing")
    with pytest.raises(ExerciseError, match=r"bad\.xlsx: is no \.xlsx workbook"):
        read_roster(tmp_path / "bad.xlsx")
    with pytest.raises(ExerciseError, match="has 20,001 rows"):
        read_roster(workbook(tmp_path / "long.xlsx", [["x"]] * 20_001))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "has no students; give one student a line"),
        ("\n \n;;\n", "has no students"),
        ("# only a comment\n", "has no students"),
        ("Vorname;Nachname;E-Mail\n", "has no students"),
        ('Student,ID,SIS Login ID,Section\n"Student, Test",1,x,S\n', "has no students"),
        ("name,x\n,1\n", "line 2 has no name; give each student one, or take the line out"),
        ("First name,Last name,Email\nAnna,Schmidt,a@x\n\n,,b@x\n", "line 4 has no name"),
        ("Name;E-Mail\nAnna;a@x\n4711;b@x\n", "line 3: “4711” is no name; give each student one"),
        ("Name\nAnna\n-\n", "line 3: “-” is no name"),
        ("Name\na@x.org\n", "line 2: “a@x.org” is no name"),
        ("101\n102\n", "line 1: “101” is no name, and no column has names"),
        ("a@x\nb@x\n", "line 1: “a@x” is no name"),
        ("E-Mail;Matrikelnummer\na@x;1\n", "is no name, and no column has names"),
        ("Etunimi;Sukunimi;Osoite\nAnna;Schmidt;a@x\nBob;Jones;b@x\n", "line 1: none of the headings “Etunimi”, “Sukunimi”, “Osoite” is known"),
        ("Anna Schmidt;Berlin\nBob Jones;Rom\n", "line 1: which of “Anna Schmidt”, “Berlin” is the name cannot be told"),
        ("name\nA\x01\n", "line 2: 'A\\x01' holds a control character"),
        ("Name;ID\nAnna;1\nBob\x00;2\n", "line 3: 'Bob\\x00' holds a control character"),
        ("Vorname;Ort\nAnna;Berlin\nBob;Rom\n", "are names in the column “Ort”, too? call it “First name” or “Last name”"),
        ("Name\nAnna;b\nBob\nCem\n", "line 2: the name “Anna;b” holds “;”; is it meant to separate cells?"),
        ("x" * 200, "line 1: the name has 200 letters; 100 are allowed"),
        ('Name;ID\n"Anna;1\nBob;2\n', "line 2: the name 'Anna;1\\nBob;2' goes over two lines; is a quotation mark missing?"),
        (b"Name\n\x81\x8d\n", "is no text in UTF-8, UTF-16 or Windows-1252"),
        (b"\xff\xfeN", "is no text in UTF-8"),
        (b"%PDF-1.7\n", "is a PDF, no table; save it as"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an old Excel file (.xls), no table"),
        ("<html><table>", "is a web page, whatever its name says"),
        ("Anna\n" * 10_001, "has 10,001 students; sheetcnn takes 10,000"),
        ("Anna\n" * 20_001, "has more than 20,000 rows"),
        ("Anna\n" * 200_001, "is larger than 1,000,000 bytes"),
        ('"' + "x" * 140_000, "line 1 cannot be read as CSV"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, data: str | bytes, words: str) -> None:
    with pytest.raises(ExerciseError) as caught:
        read(tmp_path, data)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'roster.csv'}: ")
    assert "\n" not in str(caught.value)


def test_what_is_no_file(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path, "is no file"),
        (tmp_path / "none.csv", "No such file"),
        (tmp_path / "a\0b", "give a CSV"),
    ):
        with pytest.raises(ExerciseError, match=words):
            read_roster(path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")  # to open it would wait for ever
        with pytest.raises(ExerciseError, match="is no file"):
            read_roster(tmp_path / "pipe")


# -- what is said ------------------------------------------------------------------------------------------------------------
def test_what_was_understood(tmp_path: Path) -> None:
    roster = read(tmp_path, FILES["moodle quoted"][0])
    assert roster.understood == (
        "2 students: Anna Schmidt (a@x.org), Bob Jones (b@x.org); "
        "name from “First name” and “Last name”, e-mail from “Email address”, number from “ID number”"
    )
    assert roster.remarks == ()
    many = read(tmp_path, "".join(f"{name}\n" for name in "ABCDEFGH"))
    assert many.understood == "8 students: A, B, C, D, E, …, H; name from column 1"
    assert read(tmp_path, "".join(f"{name}\n" for name in "ABCDEF")).understood.startswith("6 students: A, B, C, D, E, F;")
    assert read(tmp_path, "Anna\n").understood == "1 student: Anna; name from column 1"


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    assert read(tmp_path, FILES["canvas"][0]).remarks == (
        "line 2: “Manual Posting” is no student: left out",
        "line 3: “Points Possible” is no student: left out",
        "line 6: “Student, Test” is no student: left out",
    )
    assert read(tmp_path, FILES["stud.ip"][0]).remarks[0] == "line 2: “Tina Lehmann” is no student, but “dozent”: left out"
    assert read(tmp_path, FILES["vips with a row of points"][0]).remarks == (
        "line 2, with points only, is no student: left out",
    )
    assert read(tmp_path, FILES["a title above"][0]).remarks == ("lines 1 to 2 above the headings: left out",)
    assert (
        "so column 1 counts as the last name and column 2 as the first"
        in read(tmp_path, "Ahlers;Ulf\nBrandt;Jost\n").remarks[0]
    )
    assert read(tmp_path, FILES["unquoted last, first"][0]).remarks == ()
    roster = read(tmp_path, "Name;E-Mail\nAnna;none yet\n")
    assert (people(roster), roster.remarks) == (
        [("Anna", "", "")],
        ("line 2: “Anna”: “none yet” is no e-mail address, and left out",),
    )
    assert len(read(tmp_path, "Name;E-Mail\nBo;b@x\n" + "Anna;none\n" * 100).remarks) == 21


def test_same_names(tmp_path: Path) -> None:
    """Two people of one name are told apart; one person who stands there twice counts once."""
    roster = read(tmp_path, "Name;E-Mail;ID\nAnna;a@x;1\nBob;b@x;2\nAnna;c@x;3\nBob;B@x;2\nCem;;4\nCem;;4\nCem;;5\n")
    assert people(roster) == [
        ("Anna", "a@x", "1"),
        ("Bob", "b@x", "2"),
        ("Anna", "c@x", "3"),
        ("Cem", "", "4"),
        ("Cem", "", "5"),
    ]
    assert [student.file for student in roster.students] == [
        "Anna.xlsx",
        "Bob.xlsx",
        "Anna_2.xlsx",
        "Cem.xlsx",
        "Cem_2.xlsx",
    ]
    assert roster.remarks == (
        "line 5: “Bob” stands in line 3 too, and counts once",
        "line 7: “Cem” stands in line 6 too, and counts once",
        "2 students are called “Anna”: Anna.xlsx is of a@x, Anna_2.xlsx is of c@x",
        "2 students are called “Cem”: Cem.xlsx is of 4, Cem_2.xlsx is of 5",
    )
    names = read(tmp_path, "Anna Schmidt\nAnna Schmidt\nBob\n")
    assert [student.file for student in names.students] == ["Anna_Schmidt.xlsx", "Anna_Schmidt_2.xlsx", "Bob.xlsx"]
    assert names.remarks[0].startswith(
        "“Anna Schmidt” stands there 2 times, with nothing to tell them apart: Anna_Schmidt.xlsx, Anna"
    )
    shared = read(tmp_path, "Name;E-Mail;ID\nAnna;a@x;1\nBob;a@x;1\n")
    assert len(shared.students) == 2
    assert shared.remarks == ("Anna and Bob have the same e-mail, a@x", "Anna and Bob have the same number, 1")


def test_columns_for_import_forms(tmp_path: Path) -> None:
    """What Canvas and Moodle know a student by is kept as it stands, and nothing of other files."""
    [anna, _] = read(tmp_path, FILES["canvas"][0]).students
    assert anna.columns == (
        ("Student", "Schmidt, Anna"), ("ID", "101"), ("SIS User ID", "s1"), ("SIS Login ID", "anna"), ("Section", "Sec1"),
    )  # fmt: skip
    [anna, _] = read(tmp_path, FILES["moodle worksheet german"][0]).students
    assert anna.columns[0] == ("ID", "Teilnehmer/in7")
    assert anna.columns[-2:] == (("Zuletzt geändert (Bewertung)", "-"), ("Feedback als Kommentar", ""))
    assert read(tmp_path, FILES["moodle grades"][0]).students[0].columns == ()
    assert Student(*["Anna", "Anna.xlsx"]).columns == ()  # as keys of version 0.1 have it
    assert Student("Anna", "a", "", "", [["ID", "1"]]).columns == (("ID", "1"),)  # type: ignore[arg-type]


def test_headings() -> None:
    assert [meaning(word) for word in ("Prénom(s)", "E-Mail-Adresse*", "MATRIKEL-NR.", "№", "Schüler/in", "Homework 1", "Parent email")] == [
        "first", "email", "number", "running", "full", "", "other",
    ]  # fmt: skip


# -- whatever comes --------------------------------------------------------------------------------------------------------
PIECES = ["Name", "Vorname", "Nachname", "E-Mail", "ID", "#", "Points Possible", "Anna", "Schmidt, Bob", "a@x", "101", "", " ", '"', "'",
          ",", ";", "\t", "|", "\n", "\r\n", "\r", "sep=;", "\ufeff", "\u200b", "=1", "Ö", "<a@x>", "\x85", "1", "2", "\n\n", "Student"]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_whatever_stands_in_a_file(tmp_path: Path, seed: int) -> None:
    """A roster with clean names, or one line; never anything else."""
    rng = random.Random(seed)
    for _ in range(40):
        data = rng.randbytes(rng.randrange(60))
        if rng.random() < 0.8:
            encoding = rng.choice(["utf-8", "utf-8", "utf-16", "utf-16-le"])
            data = "".join(rng.choices(PIECES, k=rng.randrange(40))).encode(encoding)
        try:
            roster = read(tmp_path, rng.choice([b"", b"", b"PK\x03\x04"]) + data)
        except ExerciseError:
            continue
        assert roster.students
        files = [student.file.casefold() for student in roster.students]
        assert len({*files}) == len(files)
        for student in roster.students:
            assert student.name == " ".join(student.name.split()) != ""
            assert re.fullmatch(r"[\w-]+\.xlsx", student.file)


def test_no_more_is_read_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_BYTES", 10)
    with pytest.raises(ExerciseError, match="is larger than 10 bytes"):
        read(tmp_path, "Anna\nBerta\nCem\n")


@pytest.mark.parametrize(
    "text", ["(" * 900_000, ("a <" * 40_000 + "\n") * 8, "<a" * 50_000 + "\nName\n", "a;" * 50_000], ids=len
)
def test_long_lines(tmp_path: Path, text: str) -> None:
    """No pattern takes the square of a line's length."""
    with pytest.raises(ExerciseError):
        read(tmp_path, text)


def test_ten_thousand(tmp_path: Path) -> None:
    rows = "".join(f"Anna{n % 100};Schmidt;a{n}@x\n" for n in range(10_000))
    assert len(read(tmp_path, "Vorname;Nachname;E-Mail\n" + rows).students) == 10_000


# -- handing out -----------------------------------------------------------------------------------------------------------
def test_said_before_anything_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.csv").write_text(FILES["canvas"][0], encoding="utf-8")
    said: list[tuple[str, bool]] = []
    made = hand_out(
        "cs231n", "cs231n", tmp_path / "out", students=tmp_path / "r.csv",
        say=lambda line: said.append((line, (tmp_path / "out").exists())),
    )  # fmt: skip
    assert said[0] == (
        f"{tmp_path / 'r.csv'}: 2 students: Anna Schmidt (101), Bob Jones (102); name from “Student”, number from “ID”",
        False,
    )
    assert said[2] == ("note: line 3: “Points Possible” is no student: left out", False)
    assert made.roster is not None
    assert made.handout.students == made.roster.students == read_key(made.key)[0].students
    with pytest.raises(SystemExit) as done:
        main(
            [
                "handout",
                "cs231n",
                "cs231n",
                "-o",
                str(tmp_path / "out"),
                "--students",
                str(tmp_path / "r.csv"),
                "--overwrite",
            ]
        )
    assert done.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == said[0][0]
    assert "2 workbooks in" in lines[-2]

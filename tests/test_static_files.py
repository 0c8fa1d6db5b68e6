"""Static files as they are served: under names of their content, and packed beside the plain ones."""

import gzip
from pathlib import Path

from django.core.files.storage import FileSystemStorage

from config.storage import ModuleStorage


def test_every_text_has_a_packed_twin_under_its_hashed_name(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    words = "a { color: red; }\n" * 200
    (source / "page.css").write_text(words)
    storage = ModuleStorage(location=str(target), base_url="/static/")
    with (source / "page.css").open("rb") as file:
        storage.save("page.css", file)
    list(storage.post_process({"page.css": (FileSystemStorage(location=str(source)), "page.css")}))
    (packed,) = target.glob("page.????????????.css.gz")
    assert gzip.decompress(packed.read_bytes()).decode() == words
    assert packed.stat().st_size * 10 < len(words)

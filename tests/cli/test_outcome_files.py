import io
import json
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from x25.cli.outcome_files import SampleSize, extract_profiles, fetch, read_results, sample
from x25.state.errors import ConfigError


@pytest.fixture
def served(tmp_path):
    """Return the URL of a small server that answers one path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.path.split("?")[0] == "/data/rows.jsonl"
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", "3" if known else "0")
            self.end_headers()
            self.wfile.write(b"{}\n" if known else b"")

        def log_message(self, *args):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def write(folder, name, whole):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(whole if isinstance(whole, str) else json.dumps(whole))


def test_a_url_is_fetched_under_its_own_name(served, tmp_path):
    target, digest = fetch(f"{served}/data/rows.jsonl?x=1", tmp_path / "new")
    assert (target.name, target.read_text(), len(digest)) == ("rows.jsonl", "{}\n", 64)
    assert [file.name for file in target.parent.iterdir()] == ["rows.jsonl"]


def test_what_the_server_refuses_is_one_sentence(served, tmp_path):
    with pytest.raises(ConfigError, match="answered 404"):
        fetch(f"{served}/data/other.jsonl", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match="cannot read"):
        fetch(str(tmp_path / "missing.json"), tmp_path / "out")


def test_an_archive_reads_like_the_folder_it_holds(tmp_path):
    write(tmp_path / "in", "maths/test/small/run.json", {"records": [{"score": 1}]})
    write(tmp_path / "in", "maths/test/large/run.jsonl", '{"score": 0}\n\n{"score": 1}\n')
    with tarfile.open(tmp_path / "all.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "in", arcname="bench")
    folder = [(name, rows) for name, _, rows in read_results(tmp_path / "in")]
    packed = [(name.removeprefix("bench/"), rows) for name, _, rows in read_results(tmp_path / "all.tar.gz")]
    assert sorted(packed, key=str) == sorted(folder, key=str)
    assert len(folder) == 2


@pytest.mark.parametrize("content", ["not json", '{"rows": []}', "[1, 2]"])
def test_a_file_of_another_shape_is_named(tmp_path, content):
    write(tmp_path, "bad.json", content)
    with pytest.raises(ConfigError, match=r"bad\.json (is not JSON|holds no list of records)"):
        list(read_results(tmp_path))


def test_means_are_shares_or_points_by_what_the_task_says(tmp_path):
    write(tmp_path, "maths/test/small/a.json", {"records": [{"score": 1}, {"score": 0}, {"score": None}]})
    write(tmp_path, "essay/test/small/a.json", {"records": [{"score": 40}, {"score": 80}]})
    (profile,) = extract_profiles(tmp_path)
    assert profile["model_id"] == "small"
    assert profile["benchmarks"] == {"essay": 60.0, "maths": 50.0}


def test_a_sample_keeps_the_same_prompts_of_every_model(tmp_path):
    for model in ("small", "middle", "large"):
        rows = [{"prompt": f"What is {number}?", "score": 1} for number in range(40)]
        write(tmp_path / "all", f"maths/test/{model}/run.json", {"records": rows})

    def prompts(seed):
        part = tmp_path / f"part-{seed}"
        sample(tmp_path / "all", part, SampleSize(records=100, files=3, records_per_file=8), seed)
        return [[row["prompt"] for row in rows] for _, _, rows in read_results(part)]

    first, second, third = prompts(1)
    assert first == second == third
    assert len(first) == 8
    assert prompts(2)[0] != first


def test_a_sample_does_not_land_in_its_source(tmp_path):
    write(tmp_path, "a.json", [{"score": 1}])
    with pytest.raises(ConfigError, match="lies inside"):
        sample(tmp_path, tmp_path / "part", SampleSize(1, 1, 1), seed=1)


def test_a_name_that_leaves_the_archive_is_refused(tmp_path):
    with tarfile.open(tmp_path / "sly.tar", "w") as archive:
        content = b'[{"score": 1}]'
        member = tarfile.TarInfo("../../out.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    with pytest.raises(ConfigError, match="points outside its archive"):
        sample(tmp_path / "sly.tar", tmp_path / "part", SampleSize(1, 1, 1), seed=1)
    assert not (Path(tmp_path).parent / "out.json").exists()

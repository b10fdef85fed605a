"""Pages of the documentation are followed: their commands run as they are written, and print what is shown."""

import asyncio
import os
import shutil

from tests.cli.running import COMMAND
from tests.following import files, prints, steps
from tests.shared_data import CAPTURES, ROOT, needs_captures

PAGE = ROOT / "docs/how-to/work-out-a-real-recording.md"


@needs_captures
async def test_a_real_recording_is_worked_out(tmp_path):
    shutil.copy(CAPTURES / "ble/seplos-v2.btsnoop", tmp_path)
    for name, text in files(PAGE).items():
        (tmp_path / name).write_text(text)
    done = steps(PAGE)
    assert [step.words[0] for step in done] == ["checksum", "find", "draft", "model"]
    for step in done:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *step.words,
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path / "config"), "COLUMNS": "80"},
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, step.words
        assert not step.prints or prints(out.decode(), step.prints), out.decode()

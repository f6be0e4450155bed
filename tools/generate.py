"""Generates everything under gen/ from proto/: `python tools/generate.py [OUT]`, OUT defaults to gen.

One command instead of buf.gen.yaml, because the gRPC plugin for Python ships inside grpcio-tools and not as an
executable that buf could start. The order of files is fixed, so that the same tools give the same bytes.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def generate(out: Path) -> None:
    """Writes Python stubs with types, Envoy's descriptor set and the OpenAPI document to `out`."""
    # Imported here: this tool has to say something useful before the development tools are installed.
    import grpc_tools  # noqa: PLC0415
    from grpc_tools import protoc  # noqa: PLC0415

    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    sources = sorted(str(p.relative_to(ROOT / "proto")) for p in (ROOT / "proto").rglob("*.proto"))
    sources.append("buf/validate/validate.proto")
    arguments = [
        "protoc",
        f"--plugin=protoc-gen-mypy={BIN / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={BIN / 'protoc-gen-mypy_grpc'}",
        f"-I{ROOT / 'proto'}",
        f"-I{ROOT / 'third_party'}",
        f"-I{Path(grpc_tools.__file__).parent / '_proto'}",
        f"--python_out={out}",
        f"--mypy_out=quiet:{out}",
    ]
    if protoc.main([*arguments, *sources]) != 0:
        raise SystemExit("protoc failed")
    services = [source for source in sources if source.endswith("_service.proto")]
    if protoc.main([*arguments, f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}", *services]) != 0:
        raise SystemExit("protoc failed")
    # Envoy expands error details to JSON only with google/rpc in the set: a build of the whole workspace has them.
    descriptor_set = str(out / "factoryai.binpb")
    subprocess.run([BIN / "buf", "build", "--as-file-descriptor-set", "-o", descriptor_set], cwd=ROOT, check=True)  # noqa: S603


if __name__ == "__main__":
    generate(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "gen")

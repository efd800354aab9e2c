"""Say where the service is and show a first refinement that can be pasted into a shell."""

from __future__ import annotations

from pathlib import Path

from service.settings import Settings

SAMPLE = "service/studio/samples/coffee.png"
PROMPT = "Make the logo more minimalist and use lighter shades of brown"


def welcome(settings: Settings) -> str:
    """What a newcomer reads after the start."""
    base = settings.public_url
    lines = [
        "",
        f"  Studio   {base}/",
        f"  API      {base}/api        (description: {base}/docs)",
        "",
    ]
    if settings.guests_may_sign_in:
        lines += ["  Try it from another terminal, in this folder:", "", example(base), ""]
    lines.append("  Ctrl-C stops everything; what you made stays.")
    return "\n".join(lines)


def example(base: str) -> str:
    """Shell commands: sign in as a guest, upload a sample, refine it, follow it, get the image."""
    field = 'python3 -c "import json,sys; print(json.load(sys.stdin)[sys.argv[1]])"'
    sample = Path(SAMPLE)
    return f"""\
field() {{ {field} "$1"; }}
TOKEN=$(curl -s -X POST {base}/api/auth/guest | field access_token)
IMAGE=$(curl -s -H "Authorization: Bearer $TOKEN" -F image=@{sample} \\
  {base}/api/concepts | field image_url)
TASK=$(curl -s -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d "{{\\"original_image_url\\": \\"$IMAGE\\", \\"refinement_prompt\\": \\"{PROMPT}\\"}}" \\
  {base}/api/concepts/refine | field task_id)
curl -sN -H "Authorization: Bearer $TOKEN" {base}/api/tasks/$TASK/events
RESULT=$(curl -s -H "Authorization: Bearer $TOKEN" {base}/api/tasks/$TASK | field image_url)
curl -s "$RESULT" -o refined.png && echo "The refined logo is in refined.png"\
"""

"""What an upper floor adds to this floor's pages: nodes under a union's members, chains on an organization's page.

`union_panels.add(SubjectPanel("chains", "chains/_union_panel.html", context))`, called in the app's `ready()`.
"""

from __future__ import annotations

from console.shell import SubjectPanel, SubjectPanels
from unions.models import Organization, Union

__all__ = ["SubjectPanel", "SubjectPanels", "organization_panels", "union_panels"]

union_panels: SubjectPanels[Union] = SubjectPanels()
organization_panels: SubjectPanels[Organization] = SubjectPanels()

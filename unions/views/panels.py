"""What upper floors add to the pages of unions and organizations: chains with their nodes, for example.

`union_panels.add(SubjectPanel("chains", "chains/_union_panel.html", context))`, called in the app's `ready()`.
"""

from __future__ import annotations

from console.shell import SubjectPanel, SubjectPanels
from unions.models import Organization, Union

union_panels: SubjectPanels[Union] = SubjectPanels()
organization_panels: SubjectPanels[Organization] = SubjectPanels()

__all__ = ["SubjectPanel", "organization_panels", "union_panels"]

"""The door for web servers."""

import os

from django.core.wsgi import get_wsgi_application

from console.processes import end_with_supervised_parent

end_with_supervised_parent()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
application = get_wsgi_application()

"""Starts localstripe for a scenario, with TLS if PEM names a file with a certificate and its key."""

import os
import ssl

import localstripe.resources
from localstripe import server

# All processes would share its file in /tmp.
localstripe.resources.Store.dump_to_disk = lambda store: None
if pem := os.environ.get("PEM"):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    run_app = server.web.run_app
    server.web.run_app = lambda app, **more: run_app(app, ssl_context=context, **more)
server.start()

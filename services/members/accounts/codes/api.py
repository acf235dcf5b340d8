"""The route of codes."""

from services.chassis.http.routes import Routes
from services.members.accounts.codes import commands
from services.members.accounts.codes.commands import CodeSent

routes = Routes("/v1/sign-in", "sign-in")
routes.post("/codes", commands.send_code, view=CodeSent, status=202, keyed=False, anonymous=True)

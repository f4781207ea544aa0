#!/usr/bin/python3
"""Answers the CTI message invite_confroom {invitee: user:SITE/ID} in the place of ctibus: calls somebody into the conference
that the user is in, and says in words what came of it."""
from ctibus import Program, Refused

program = Program("confroom")


@program.cti("invite_confroom", required=["invitee"], override=True)
def invite_confroom(call):
    ipbx, invitee = call["ipbx"], str(call["message"]["invitee"]).rpartition("/")[2]
    phones, channels = (program.snapshot(ipbx, name) for name in ("phones", "channels"))
    theirs = [p for p in phones.values() if str(p["iduserfeatures"]) == invitee and p["identity"]]
    own = [channels[c] for p in phones.values() if str(p["iduserfeatures"]) == call["user"] for c in p["channels"] if c in channels]
    rooms = [(c["talkingto_id"], c["context"]) for c in own if c["talkingto_kind"] == "meetme"]
    if not theirs:
        return {"warning": {"message": "Invalid invitee"}}
    if not rooms:
        return {"warning": {"message": "You are not in a conference room"}}
    try:
        program.action(ipbx, "Originate", Channel=theirs[0]["identity"], Exten=rooms[0][0], Context=rooms[0][1], Priority="1",
                       Async="true")
    except Refused:
        return {"warning": {"message": "The invitation could not be sent"}}
    return {"message": {"message": "The invitation is sent"}}


program.run()

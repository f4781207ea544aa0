/* Rows of the table about conferences, parking, mailboxes, user events and faxes, with real blocks
 * of each dialect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/rows.h"

static const struct row_case cases[] = {
    /* ---- conferences ---- */
    SEEN("1.8", "15-conference", "MeetmeJoin", "",
         "conference/join {'channel':'SIP/bob-00000040','uniqueid':'1795425334.70',"
         "'callerid_num':'1002','callerid_name':'Bob "
         "Tremblay','application':'MeetMe','room':'4001','usernum':2}\n"),
    TOLD("13", "Event: MeetmeJoin|Privilege: call,all|Meetme: 4001|" ALICE "User: 2",
         "conference/join {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'application':'MeetMe','room':'4001','usernum':2}\n"),
    TOLD("1.8",
         "Event: MeetmeJoin|Privilege: call,all|Channel: SIP/bob-1|Uniqueid: 1.1|Meetme: 4001|"
         "PseudoChan: DAHDI/pseudo-1|Usernum: 2|CallerIDnum: 1002|CallerIDname: Bob|Admin: No|"
         "NoAuthed: Yes",
         "conference/join {'channel':'SIP/bob-1','uniqueid':'1.1','callerid_num':'1002',"
         "'callerid_name':'Bob','application':'MeetMe','room':'4001','usernum':2,'admin':false,'"
         "authed':false,"
         "'pseudochan':'DAHDI/pseudo-1'}\n"),
    SEEN("1.8", "15-conference", "MeetmeLeave", "",
         "conference/leave {'channel':'SIP/alice-0000003f','uniqueid':'1795425333.69',"
         "'callerid_num':'1001','callerid_name':'Alice Martin','room':'4001','usernum':1,"
         "'duration':10}\n"),
    TOLD("13", "Event: MeetmeLeave|Privilege: call,all|Meetme: 4001|" ALICE "User: 2|Duration: 10",
         "conference/leave {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'room':'4001','usernum':2,'duration':10}\n"),
    SEEN("1.8", "15-conference", "MeetmeMute", "",
         "conference/mute {'channel':'SIP/alice-0000003f','uniqueid':'1795425333.69',"
         "'room':'4001','usernum':1,'muted':true}\n"),
    TOLD("13",
         "Event: MeetmeMute|Privilege: call,all|Meetme: 4001|" ALICE
         "User: 2|Duration: 4|Status: off",
         "conference/mute {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'room':'4001','usernum':2,'muted':false,'duration':4}\n"),
    SEEN("1.8", "15-conference", "MeetmeTalking", "",
         "conference/talk {'channel':'SIP/bob-00000040','uniqueid':'1795425334.70',"
         "'room':'4001','usernum':2,'talking':true}\n"),
    TOLD("13",
         "Event: MeetmeTalking|Privilege: call,all|Meetme: 4001|" ALICE
         "User: 2|Duration: 4|Status: off",
         "conference/talk {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'room':'4001','usernum':2,'talking':false,'duration':4}\n"),
    TOLD("1.8",
         "Event: MeetmeNoAuthed|Privilege: call,all|Channel: SIP/bob-1|Uniqueid: 1.1|Meetme: 4001|"
         "Usernum: 2|Status: on",
         "conference/auth {'channel':'SIP/bob-1','uniqueid':'1.1','room':'4001','usernum':2,"
         "'authed':false}\n"),
    TOLD("1.8", "Event: MeetmePause|Privilege: call,all|Meetme: 4001|Status: on",
         "conference/pause {'paused':true,'room':'4001'}\n"),
    SEEN("1.8", "15-conference", "MeetmeEnd", "", "conference/end {'room':'4001'}\n"),
    TOLD("13", "Event: MeetmeEnd|Privilege: call,all|Meetme: 4001",
         "conference/end {'room':'4001'}\n"),
    SEEN("1.8", "15-conference", "MeetmeList", "",
         "conference/join {'channel':'SIP/alice-0000003f','callerid_num':'1001',"
         "'callerid_name':'Alice "
         "Martin','resync':true,'application':'MeetMe','room':'4001','usernum':1,"
         "'admin':false,'muted':false,'talking':false}\n"),
    TOLD("13",
         "Event: MeetmeList|ActionID: x-1|Conference: 4001|UserNumber: 2|CallerIDNum: 1001|"
         "CallerIDName: Alice Martin|ConnectedLineNum: <unknown>|ConnectedLineName: <no name>|"
         "Channel: SIP/alice-1|Admin: Yes|Role: Talk and listen|MarkedUser: No|"
         "Muted: By admin|Talking: Yes",
         "conference/join {'channel':'SIP/alice-1','callerid_num':'1001',"
         "'callerid_name':'Alice "
         "Martin','resync':true,'application':'MeetMe','room':'4001','usernum':2,"
         "'admin':true,'muted':true,'talking':true}\n"),
    TOLD("11", "Event: ConfbridgeStart|Privilege: call,all|Conference: 4011",
         "conference/start {'room':'4011'}\n"),
    SEEN("20", "15-conference", "ConfbridgeStart", "", "conference/start {'room':'4001'}\n"),
    TOLD("11",
         "Event: ConfbridgeJoin|Privilege: call,all|Channel: SIP/bob-1|Uniqueid: 1.1|"
         "Conference: 4011|CallerIDnum: 1002|CallerIDname: Bob",
         "conference/join {'channel':'SIP/bob-1','uniqueid':'1.1','callerid_num':'1002',"
         "'callerid_name':'Bob','application':'ConfBridge','room':'4011'}\n"),
    SEEN("20", "15-conference", "ConfbridgeJoin", "",
         "conference/join {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'application':'ConfBridge','room':'4001','admin':false,'muted':false}\n"),
    TOLD("11",
         "Event: ConfbridgeLeave|Privilege: call,all|Channel: SIP/bob-1|Uniqueid: 1.1|"
         "Conference: 4011|CallerIDnum: 1002|CallerIDname: Bob",
         "conference/leave {'channel':'SIP/bob-1','uniqueid':'1.1','callerid_num':'1002',"
         "'callerid_name':'Bob','room':'4011'}\n"),
    SEEN("20", "15-conference", "ConfbridgeLeave", "",
         "conference/leave {'channel':'SIP/bob-00000055','uniqueid':'1795424699.99',"
         "'linkedid':'1795424699.99','callerid_num':'1002','callerid_name':'Bob Tremblay',"
         "'room':'4001','admin':false}\n"),
    TOLD("11",
         "Event: ConfbridgeTalking|Privilege: call,all|Channel: SIP/bob-1|Uniqueid: 1.1|"
         "Conference: 4011|TalkingStatus: on",
         "conference/talk {'channel':'SIP/bob-1','uniqueid':'1.1','room':'4011',"
         "'talking':true}\n"),
    TOLD("20",
         "Event: ConfbridgeTalking|Conference: 4001|" BRIDGE("base", "2") ALICE
         "TalkingStatus: off|Admin: No",
         "conference/talk {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'room':'4001','admin':false,'talking':false}\n"),
    SEEN("20", "15-conference", "ConfbridgeMute", "",
         "conference/mute {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'room':'4001','admin':false,'muted':true}\n"),
    SEEN("20", "15-conference", "ConfbridgeUnmute", "",
         "conference/mute {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'room':'4001','admin':false,'muted':false}\n"),
    SEEN("20", "15-conference", "ConfbridgeRecord", "",
         "conference/record {'on':true,'room':'4001'}\n"),
    SEEN("20", "15-conference", "ConfbridgeStopRecord", "",
         "conference/record {'on':false,'room':'4001'}\n"),
    TOLD("20", "Event: ConfbridgeLock|Privilege: call,all|Conference: 4001|" BRIDGE("base", "2"),
         "conference/lock {'on':true,'room':'4001'}\n"),
    TOLD("20", "Event: ConfbridgeUnlock|Privilege: call,all|Conference: 4001|" BRIDGE("base", "2"),
         "conference/lock {'on':false,'room':'4001'}\n"),
    TOLD("11", "Event: ConfbridgeEnd|Privilege: call,all|Conference: 4011",
         "conference/end {'room':'4011'}\n"),
    SEEN("20", "15-conference", "ConfbridgeEnd", "", "conference/end {'room':'4001'}\n"),
    TOLD("11",
         "Event: ConfbridgeList|ActionID: x-1|Conference: 4011|CallerIDNum: 1002|CallerIDName: Bob|"
         "Channel: SIP/bob-1|Admin: No|MarkedUser: No",
         "conference/join {'channel':'SIP/bob-1','callerid_num':'1002',"
         "'callerid_name':'Bob','resync':true,'application':'ConfBridge','room':'4011','admin':"
         "false}\n"),
    SEEN("20", "15-conference", "ConfbridgeList", "",
         "conference/join {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'resync':true,'application':'ConfBridge','room':'4001','admin':false,'muted':false,'"
         "talking':false}\n"),
    /* ---- parking ---- */
    SEEN("1.8", "16-parking", "ParkedCall", "",
         "parking/parked {'channel':'SIP/alice-00000043','uniqueid':'1795425348.75',"
         "'callerid_num':'1001','callerid_name':'Alice Martin','lot':'default',"
         "'space':'701','parker':'SIP/bob','timeout':30}\n"),
    SEEN("20", "16-parking", "ParkedCall", "",
         "parking/parked {'channel':'SIP/alice-00000058','uniqueid':'1795424710.105',"
         "'linkedid':'1795424710.105','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'lot':'default','space':'701','parker':'SIP/bob','timeout':30,'duration':0}\n"),
    SEEN("1.8", "33-midcall-login", "ParkedCall", "",
         "parking/parked {'channel':'Local/5006@default-00000008;1','callerid_num':'777',"
         "'callerid_name':'Parqué','resync':true,'lot':'default','space':'701',"
         "'timeout':4}\n"),
    SEEN("20", "33-midcall-login", "ParkedCall", "",
         "parking/parked {'channel':'Local/5006@default-00000009;1',"
         "'uniqueid':'1795425673.48','linkedid':'1795425673.48','callerid_num':'777',"
         "'callerid_name':'Parqué','resync':true,'lot':'default','space':'701',"
         "'parker':'Local/5006@default','timeout':4,'duration':2}\n"),
    TOLD("11",
         "Event: ParkedCall|ActionID: x-1|Parkinglot: default|Exten: 701|Channel: SIP/alice-1|"
         "From: SIP/bob-2|Timeout: 28|Duration: 2|CallerIDNum: 1001|CallerIDName: Alice Martin|"
         "ConnectedLineNum: 1002|ConnectedLineName: Bob",
         "parking/parked {'channel':'SIP/alice-1','callerid_num':'1001',"
         "'callerid_name':'Alice Martin','resync':true,'lot':'default','space':'701',"
         "'parker':'SIP/bob','timeout':28,'duration':2}\n"),
    SEEN("1.8", "16-parking", "UnParkedCall", "",
         "parking/unparked {'channel':'SIP/alice-00000043','uniqueid':'1795425348.75',"
         "'callerid_num':'1001','callerid_name':'Alice Martin','lot':'default',"
         "'space':'701','retriever':'SIP/carol-00000045'}\n"),
    SEEN("20", "16-parking", "UnParkedCall", "",
         "parking/unparked {'channel':'SIP/alice-00000058','uniqueid':'1795424710.105',"
         "'linkedid':'1795424710.105','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'lot':'default','space':'701','parker':'SIP/bob','retriever':'SIP/carol-0000005a',"
         "'timeout':29,'duration':1}\n"),
    SEEN("1.8", "16-parking", "ParkedCallTimeOut", "",
         "parking/timeout {'channel':'SIP/alice-00000046','uniqueid':'1795425353.79',"
         "'callerid_num':'1001','callerid_name':'Alice Martin','lot':'default',"
         "'space':'701'}\n"),
    SEEN("20", "16-parking", "ParkedCallTimeOut", "",
         "parking/timeout {'channel':'SIP/alice-0000005b','uniqueid':'1795424715.108',"
         "'linkedid':'1795424715.108','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'lot':'default','space':'701','parker':'SIP/bob','timeout':0,'duration':2}\n"),
    SEEN("1.8", "16-parking", "ParkedCallGiveUp", "",
         "parking/giveup {'channel':'SIP/alice-00000049','uniqueid':'1795425360.83',"
         "'callerid_num':'1001','callerid_name':'Alice Martin','lot':'default',"
         "'space':'701'}\n"),
    SEEN("20", "16-parking", "ParkedCallGiveUp", "",
         "parking/giveup {'channel':'SIP/alice-0000005e','uniqueid':'1795424723.111',"
         "'linkedid':'1795424723.111','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'lot':'default','space':'701','parker':'SIP/bob','timeout':19,'duration':1}\n"),
    TOLD("20",
         "Event: ParkedCallSwap|Privilege: call,all|" SNAPSHOT_OF(
             "Parkee", "SIP/alice-00000058", "1001", "Alice Martin",
             "1795424710.105") "ParkerDialString: SIP/bob|Parkinglot: default|ParkingSpace: "
                               "701|ParkingTimeout: 20|"
                               "ParkingDuration: 10",
         "parking/swap {'channel':'SIP/alice-00000058','uniqueid':'1795424710.105',"
         "'linkedid':'1795424710.105','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'lot':'default','space':'701','parker':'SIP/bob','timeout':20,'duration':10}\n"),
    /* ---- mailboxes ---- */
    SEEN("1.8", "17-voicemail-mwi", "MessageWaiting", "",
         "voicemail/waiting "
         "{'mailbox':'1003@default','waiting':true,'new_count':1,'old_count':0}\n"),
    SEEN("20", "17-voicemail-mwi", "MessageWaiting", "",
         "voicemail/waiting "
         "{'mailbox':'1003@default','waiting':true,'new_count':1,'old_count':0}\n"),
    SEEN("20", "34-reload", "MessageWaiting", "",
         "voicemail/waiting "
         "{'mailbox':'1001@default','waiting':false,'new_count':0,'old_count':0}\n"),
    SEEN("1.8", "17-voicemail-mwi", "VoicemailUserEntry", "",
         "voicemail/waiting {'resync':true,'mailbox':'1001@default','waiting':false,"
         "'new_count':0}\n"),
    SEEN("20", "17-voicemail-mwi", "VoicemailUserEntry", "",
         "voicemail/waiting {'resync':true,'mailbox':'1001@default','waiting':false,'new_count':0,"
         "'old_count':0}\n"),
    ANSWERED("1.8", "MailboxCount",
             "Response: Success|ActionID: x-1|Message: Mailbox Message Count|Mailbox: 1003@default|"
             "UrgMessages: 0|NewMessages: 1|OldMessages: 2",
             "voicemail/waiting "
             "{'mailbox':'1003@default','waiting':true,'new_count':1,'old_count':2}\n"),
    ANSWERED("20", "MailboxCount",
             "Response: Success|ActionID: x-1|Message: Mailbox Message Count|Mailbox: 1003|"
             "UrgMessages: 1|NewMessages: 0|OldMessages: 2",
             "voicemail/waiting "
             "{'mailbox':'1003@default','waiting':true,'new_count':0,'old_count':2}\n"),
    /* ---- user events and fax ---- */
    SEEN("1.8", "02-call-answered", "UserEvent", "",
         "user/event {'channel':'SIP/alice-00000000','uniqueid':'1795425203.0',"
         "'name':'User','headers':{'UNIQUEID':'1795425203.0','CHANNEL':'SIP/alice-00000000',"
         "'XIVO_USERID':'1','XIVO_LINEID':'12','XIVO_DSTID':'2','XIVO_SRCNUM':'1001',"
         "'XIVO_DSTNUM':'1002','XIVO_CALLORIGIN':'intern','XIVO_CONTEXT':'default'}}\n"),
    SEEN("20", "02-call-answered", "UserEvent", "",
         "user/event {'channel':'SIP/alice-00000015','uniqueid':'1795424564.21',"
         "'name':'User','headers':{'UNIQUEID':'1795424564.21',"
         "'CHANNEL':'SIP/alice-00000015','XIVO_USERID':'1','XIVO_LINEID':'12',"
         "'XIVO_DSTID':'2','XIVO_SRCNUM':'1001','XIVO_DSTNUM':'1002',"
         "'XIVO_CALLORIGIN':'intern','XIVO_CONTEXT':'default'}}\n"),
    SEEN("1.8", "19-userevents-features", "UserEvent", "ActionID",
         "user/event {'channel':'SIP/none-1','name':'Custom',"
         "'headers':{'Channel':'SIP/none-1','XIVO_USERID':'1','Note':'hello: world; a=b, c',"
         "'Accent':'été 日本'}}\n"),
    SEEN("20", "19-userevents-features", "UserEvent", "ActionID",
         "user/event {'channel':'SIP/none-1','name':'Custom',"
         "'headers':{'Channel':'SIP/none-1','XIVO_USERID':'1','Note':'hello: world; a=b, c',"
         "'Accent':'été 日本'}}\n"),
    SEEN("20", "24-nonascii", "UserEvent", "XIVO_SRCNAME",
         "user/event {'channel':'SIP/pstn-0000000e','uniqueid':'1795425652.30','name':'Did',"
         "'headers':{'XIVO_SRCNUM':'0600000001','XIVO_SRCNAME':'Émile Zola',"
         "'XIVO_EXTENPATTERN':'0123456701','CHANNEL':'SIP/pstn-0000000e',"
         "'UNIQUEID':'1795425652.30','XIVO_SRCTON':'0','XIVO_SRCRDNIS':''}}\n"),
    TOLD("11",
         "Event: UserEvent|Privilege: user,all|UserEvent: User|Uniqueid: 1.1|UNIQUEID: 1.1|"
         "CHANNEL: SIP/alice-1|XIVO_USERID: 1",
         "user/event {'channel':'SIP/alice-1','uniqueid':'1.1','name':'User',"
         "'headers':{'UNIQUEID':'1.1','CHANNEL':'SIP/alice-1','XIVO_USERID':'1'}}\n"),
    TOLD("1.8",
         "Event: FaxSent|Privilege: call,all|Channel: SIP/pstn-1|Exten: s|CallerID: 1001|"
         "RemoteStationID: 0145|LocalStationID: 0143|PagesTransferred: 2|Resolution: 8031|"
         "TransferRate: 14400|FileName: /tmp/a.tif",
         "fax/sent {'channel':'SIP/pstn-1','callerid_num':'1001','station':'0145','pages':2,"
         "'file':'/tmp/a.tif'}\n"),
    TOLD("1.8",
         "Event: FaxReceived|Privilege: call,all|Channel: SIP/pstn-1|Exten: s|CallerID: 1001|"
         "RemoteStationID: 0145|LocalStationID: 0143|PagesTransferred: 2|Resolution: 8031|"
         "TransferRate: 14400|FileName: /tmp/a.tif",
         "fax/received {'channel':'SIP/pstn-1','callerid_num':'1001','station':'0145',"
         "'pages':2,'file':'/tmp/a.tif'}\n"),
    TOLD("1.8",
         "Event: SendFAXStatus|Privilege: call,all|Status: T.38 Negotiated|Channel: SIP/pstn-1|"
         "Context: fax|Exten: s|CallerID: 1001|LocalStationID: 0143|FileName: /tmp/a.tif",
         "fax/status {'channel':'SIP/pstn-1','callerid_num':'1001',"
         "'status':'T.38 Negotiated','kind':'send','file':'/tmp/a.tif'}\n"),
    TOLD("1.8",
         "Event: ReceiveFAXStatus|Privilege: call,all|Status: T.38 Negotiated|Channel: SIP/pstn-1|"
         "Context: fax|Exten: s|CallerID: 1001|LocalStationID: 0143|FileName: /tmp/a.tif",
         "fax/status {'channel':'SIP/pstn-1','callerid_num':'1001',"
         "'status':'T.38 Negotiated','kind':'receive','file':'/tmp/a.tif'}\n"),
    TOLD("1.8",
         "Event: SendFAX|Privilege: call,all|Channel: SIP/pstn-1|Context: fax|Exten: s|"
         "CallerID: 1001|RemoteStationID: 0145|LocalStationID: 0143|PagesTransferred: 2|"
         "Resolution: 204x98|TransferRate: 14400|FileName: /tmp/a.tif",
         "fax/sent {'channel':'SIP/pstn-1','callerid_num':'1001','station':'0145','pages':2,"
         "'file':'/tmp/a.tif'}\n"),
    TOLD("20",
         "Event: SendFAX|" ALICE "RemoteStationID: 0145|LocalStationID: 0143|"
         "PagesTransferred: 2|Resolution: 204x98|TransferRate: 14400|FileName: /tmp/a.tif",
         "fax/sent {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'station':'0145','pages':2,'file':'/tmp/a.tif'}\n"),
    TOLD("1.8",
         "Event: ReceiveFAX|Privilege: call,all|Channel: SIP/pstn-1|Context: fax|Exten: s|"
         "CallerID: 1001|RemoteStationID: |LocalStationID: 0143|PagesTransferred: |"
         "Resolution: |TransferRate: |FileName: /tmp/a.tif",
         "fax/received {'channel':'SIP/pstn-1','callerid_num':'1001','file':'/tmp/a.tif'}\n"),
    TOLD("20",
         "Event: ReceiveFAX|" ALICE "RemoteStationID: 0145|LocalStationID: 0143|"
         "PagesTransferred: 2|Resolution: 204x98|TransferRate: 14400|FileName: /tmp/a.tif",
         "fax/received {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'station':'0145','pages':2,'file':'/tmp/a.tif'}\n"),
    TOLD("20",
         "Event: FAXStatus|" ALICE "Operation: send|Status: Allocating Resources|"
         "LocalStationID: 0143|FileName: /tmp/a.tif",
         "fax/status {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'status':'Allocating Resources','kind':'send','file':'/tmp/a.tif'}\n"),
    TOLD("20",
         "Event: Registry|Privilege: system,all|ChannelType: PJSIP|Username: sip:33140@op.example|"
         "Domain: sip:op.example:5061|Status: Rejected|Cause: 403",
         "trunk/registration {'status':'Rejected','peer':'PJSIP','host':'op.example',"
         "'username':'33140'}\n"),
    TOLD("1.8",
         "Event: RegistryEntry|Host: op.example|Port: 5060|Username: 33140|Domain: op.example|"
         "DomainPort: 5060|Refresh: 105|State: Registered|RegistrationTime: 1795424698",
         "trunk/registration {'status':'Registered','host':'op.example','username':'33140'}\n"),
    TOLD(
        "20",
        "Event: OutboundRegistrationDetail|ObjectType: registration|ObjectName: op|"
        "ServerUri: sip:op.example|ClientUri: sip:33140@op.example|Status: Registered|NextReg: 300",
        "trunk/registration {'status':'Registered','peer':'PJSIP','host':'op.example',"
        "'username':'33140','name':'op'}\n"),
};

static void every_row_tells_what_the_block_says(void **state)
{
    rows_check(cases, ARRAY_SIZE(cases), ROWS_SERVICES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row_tells_what_the_block_says)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

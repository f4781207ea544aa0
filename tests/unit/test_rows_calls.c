/* Rows of the table about channels, calls and devices, with real blocks of each dialect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/rows.h"

static const struct row_case cases[] = {
    /* ---- channels ---- */
    SEEN("1.8", "02-call-answered", "Newchannel", "",
         "channel/new {'channel':'SIP/alice-00000000','uniqueid':'1795425203.0','state':0,"
         "'callerid_num':'1001','callerid_name':'Alice Martin','context':'default',"
         "'exten':'1002'}\n"),
    SEEN("20", "02-call-answered", "Newchannel", "",
         "channel/new {'channel':'SIP/alice-00000015','uniqueid':'1795424564.21',"
         "'linkedid':'1795424564.21','state':0,'callerid_num':'1001',"
         "'callerid_name':'Alice Martin','context':'default','exten':'1002'}\n"),
    SEEN("1.8", "02-call-answered", "Newstate", "",
         "channel/state {'channel':'SIP/alice-00000000','uniqueid':'1795425203.0','state':4,"
         "'callerid_num':'1001','callerid_name':'Alice Martin'}\n"),
    SEEN("20", "02-call-answered", "Newstate", "",
         "channel/state {'channel':'SIP/alice-00000015','uniqueid':'1795424564.21',"
         "'linkedid':'1795424564.21','state':4,'callerid_num':'1001',"
         "'callerid_name':'Alice Martin','context':'default','exten':'1002'}\n"),
    TOLD("22",
         "Event: Newchannel|Privilege: call,all|Channel: PJSIP/alice-00000000|ChannelState: 4|"
         "ChannelStateDesc: Ring|CallerIDNum: 1001|CallerIDName: Alice Martin|"
         "ConnectedLineNum: <unknown>|ConnectedLineName: <unknown>|Language: en|AccountCode: |"
         "Context: default|Exten: 1002|Priority: 1|Uniqueid: 1795500000.1|Linkedid: 1795500000.1",
         "channel/new {'channel':'PJSIP/alice-00000000','uniqueid':'1795500000.1',"
         "'linkedid':'1795500000.1','state':4,'callerid_num':'1001',"
         "'callerid_name':'Alice Martin','context':'default','exten':'1002'}\n"),
    SEEN("1.8", "06-redirect-blind", "NewCallerid", "",
         "channel/callerid {'channel':'SIP/bob-00000019','uniqueid':'1795425233.26',"
         "'callerid_num':'1002','callerid_name':'Bob Tremblay'}\n"),
    SEEN("20", "24-nonascii", "NewCallerid", "",
         "channel/callerid {'channel':'Local/5006@default-00000000;1',"
         "'uniqueid':'1795425646.14','linkedid':'1795425646.14','state':0,"
         "'callerid_num':'900','callerid_name':'Noël Müller','context':'default',"
         "'exten':'5006'}\n"),
    SEEN("20", "24-nonascii", "Newstate", "No\xebl",
         "channel/state {'channel':'Local/5006@default-00000007;2',"
         "'uniqueid':'1795425651.29','linkedid':'1795425651.28','state':6,"
         "'callerid_num':'950','callerid_name':'No�l M�ller','connected_num':'950',"
         "'connected_name':'No�l M�ller','context':'default','exten':'5006'}\n"),
    SEEN("20", "02-call-answered", "NewConnectedLine", "",
         "channel/connected {'channel':'SIP/bob-00000016','uniqueid':'1795424564.22',"
         "'linkedid':'1795424564.21','state':0,'callerid_num':'1002',"
         "'callerid_name':'Bob Tremblay','connected_num':'1001',"
         "'connected_name':'Alice Martin','context':'default','exten':'s'}\n"),
    SEEN("1.8", "02-call-answered", "Newexten", "Application: AGI",
         "channel/exten {'channel':'SIP/alice-00000000','uniqueid':'1795425203.0',"
         "'context':'user','exten':'s','application':'AGI',"
         "'data':'agi://127.0.0.1:5002/callerid_forphones,2'}\n"),
    SEEN("20", "02-call-answered", "Newexten", "Application: AGI",
         "channel/exten {'channel':'SIP/alice-00000015','uniqueid':'1795424564.21',"
         "'linkedid':'1795424564.21','state':4,'callerid_num':'1001',"
         "'callerid_name':'Alice Martin','context':'user','exten':'s','application':'AGI',"
         "'data':'agi://127.0.0.1:5002/callerid_forphones,2'}\n"),
    TOLD("1.8",
         "Event: Newexten|Privilege: dialplan,all|Channel: SIP/alice-1|Context: default|"
         "Extension: 1002|Priority: 2|Application: EAGI|AppData: agi://127.0.0.1/x|Uniqueid: 1.1",
         "channel/exten {'channel':'SIP/alice-1','uniqueid':'1.1','context':'default',"
         "'exten':'1002','application':'EAGI','data':'agi://127.0.0.1/x'}\n"),
    TOLD("20", "Event: Newexten|" ALICE "Extension: s|Application: EAGI|AppData: /bin/x",
         "channel/exten {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','state':6,'callerid_num':'1001',"
         "'callerid_name':'Alice Martin','context':'default','exten':'s',"
         "'application':'EAGI','data':'/bin/x'}\n"),
    TOLD("1.8",
         "Event: Newexten|Privilege: dialplan,all|Channel: SIP/alice-1|Context: default|"
         "Extension: h|Priority: 1|Application: DeadAGI|AppData: agi://127.0.0.1/x|Uniqueid: 1.1",
         "channel/exten {'channel':'SIP/alice-1','uniqueid':'1.1','context':'default',"
         "'exten':'h','application':'DeadAGI','data':'agi://127.0.0.1/x'}\n"),
    TOLD("20", "Event: Newexten|" ALICE "Extension: s|Application: DeadAGI|AppData: /bin/x",
         "channel/exten {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','state':6,'callerid_num':'1001',"
         "'callerid_name':'Alice Martin','context':'default','exten':'s',"
         "'application':'DeadAGI','data':'/bin/x'}\n"),
    SEEN("1.8", "06-redirect-blind", "Rename", "Newname: SIP/bob-00000019\r\n",
         "channel/rename {'uniqueid':'1795425233.26','old':'AsyncGoto/SIP/bob-00000019',"
         "'new':'SIP/bob-00000019'}\n"),
    TOLD("11",
         "Event: Rename|Privilege: call,all|Channel: Parked/SIP/alice-1|Newname: SIP/alice-1|"
         "Uniqueid: 1.2",
         "channel/rename {'uniqueid':'1.2','old':'Parked/SIP/alice-1','new':'SIP/alice-1'}\n"),
    SEEN("1.8", "02-call-answered", "Hangup", "",
         "channel/hangup {'channel':'SIP/bob-00000001','uniqueid':'1795425203.1',"
         "'callerid_num':'1002','callerid_name':'Bob Tremblay','connected_num':'1001',"
         "'connected_name':'Alice Martin','cause':16,'cause_text':'Normal Clearing'}\n"),
    SEEN("20", "02-call-answered", "Hangup", "",
         "channel/hangup {'channel':'SIP/alice-00000015','uniqueid':'1795424564.21',"
         "'linkedid':'1795424564.21','state':6,'callerid_num':'1001',"
         "'callerid_name':'Alice Martin','connected_num':'1002',"
         "'connected_name':'Bob Tremblay','context':'user','exten':'h','cause':16,"
         "'cause_text':'Normal Clearing'}\n"),
    TOLD("11",
         "Event: Hangup|Privilege: call,all|Channel: SIP/bob-1|Uniqueid: 1.2|CallerIDNum: 1002|"
         "CallerIDName: <unknown>|ConnectedLineNum: 1001|ConnectedLineName: Alice Martin|"
         "AccountCode: |Cause: 26|Cause-txt: Answered elsewhere",
         "channel/hangup {'channel':'SIP/bob-1','uniqueid':'1.2','callerid_num':'1002',"
         "'connected_num':'1001','connected_name':'Alice Martin','cause':26,"
         "'cause_text':'Answered elsewhere'}\n"),
    TOLD("22",
         "Event: Hangup|" SNAPSHOT("PJSIP/bob-00000001", "1002", "Bob",
                                   "1.2") "Cause: 17|"
                                          "Cause-txt: User busy|TechCause: 486",
         "channel/hangup {'channel':'PJSIP/bob-00000001','uniqueid':'1.2','linkedid':'1.2',"
         "'state':6,'callerid_num':'1002','callerid_name':'Bob','context':'default',"
         "'exten':'s','cause':17,'cause_text':'User busy'}\n"),
    SEEN("1.8", "05-hold", "Hold", "Status: On",
         "channel/hold {'channel':'SIP/bob-00000014','uniqueid':'1795425223.20'}\n"),
    SEEN("1.8", "05-hold", "Hold", "Status: Off",
         "channel/unhold {'channel':'SIP/bob-00000014','uniqueid':'1795425223.20'}\n"),
    SEEN("20", "05-hold", "Hold", "",
         "channel/hold {'channel':'SIP/bob-00000029','uniqueid':'1795424584.41',"
         "'linkedid':'1795424584.40','state':6,'callerid_num':'1002',"
         "'callerid_name':'Bob Tremblay','connected_num':'1001',"
         "'connected_name':'Alice Martin','context':'default'}\n"),
    SEEN("20", "05-hold", "Unhold", "",
         "channel/unhold {'channel':'SIP/bob-00000029','uniqueid':'1795424584.41',"
         "'linkedid':'1795424584.40','state':6,'callerid_num':'1002',"
         "'callerid_name':'Bob Tremblay','connected_num':'1001',"
         "'connected_name':'Alice Martin','context':'default'}\n"),
    TOLD("22",
         "Event: Hold|" SNAPSHOT("PJSIP/bob-00000001", "1002", "Bob", "1.2") "MusicClass: default",
         "channel/hold {'channel':'PJSIP/bob-00000001','uniqueid':'1.2','linkedid':'1.2',"
         "'state':6,'callerid_num':'1002','callerid_name':'Bob','context':'default',"
         "'exten':'s'}\n"),
    TOLD("1.8",
         "Event: Bridge|Bridgestate: Link|Bridgetype: core|Channel1: SIP/a-1|Channel2: SIP/b-2|"
         "Uniqueid1: 1.1|Uniqueid2: 1.2||"
         "Event: MusicOnHold|Privilege: call,all|State: Start|Channel: SIP/a-1|UniqueID: 1.1|"
         "Class: default||"
         "Event: MusicOnHold|Privilege: call,all|State: Stop|Channel: SIP/a-1|UniqueID: 1.1",
         "call/link {'channel':'SIP/a-1','uniqueid':'1.1','other':'SIP/b-2',"
         "'other_uniqueid':'1.2'}\n"
         "channel/hold {'channel':'SIP/b-2'}\n"
         "channel/unhold {'channel':'SIP/b-2'}\n"),
    SEEN("1.8", "18-monitor", "MonitorStart", "",
         "channel/monitor {'channel':'SIP/alice-0000004f','uniqueid':'1795425387.90',"
         "'on':true}\n"),
    SEEN("20", "18-monitor", "MonitorStart", "",
         "channel/monitor {'channel':'SIP/alice-00000065','uniqueid':'1795424750.118',"
         "'linkedid':'1795424750.118','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'on':true}\n"),
    SEEN("1.8", "18-monitor", "MonitorStop", "",
         "channel/monitor {'channel':'SIP/alice-0000004f','uniqueid':'1795425387.90',"
         "'on':false}\n"),
    SEEN("20", "18-monitor", "MonitorStop", "",
         "channel/monitor {'channel':'SIP/alice-00000065','uniqueid':'1795424750.118',"
         "'linkedid':'1795424750.118','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'on':false}\n"),
    SEEN("20", "18-monitor", "MixMonitorStart", "",
         "channel/monitor {'channel':'SIP/alice-00000065','uniqueid':'1795424750.118',"
         "'linkedid':'1795424750.118','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'on':true}\n"),
    SEEN("20", "18-monitor", "MixMonitorStop", "",
         "channel/monitor {'channel':'SIP/alice-00000065','uniqueid':'1795424750.118',"
         "'linkedid':'1795424750.118','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'on':false}\n"),
    SEEN("20", "18-monitor", "MixMonitorMute", "State: 1",
         "channel/monitor {'channel':'SIP/alice-00000065','uniqueid':'1795424750.118',"
         "'linkedid':'1795424750.118','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'on':true,'muted':true}\n"),
    TOLD("1.8",
         "Event: ChanSpyStart|Privilege: call,all|SpyerChannel: SIP/erin-0000001b|"
         "SpyeeChannel: SIP/alice-00000019",
         "channel/spy {'channel':'SIP/erin-0000001b','on':true,"
         "'spied':'SIP/alice-00000019'}\n"),
    TOLD("20",
         "Event: ChanSpyStart|Privilege: call,all|" SNAPSHOT_OF("Spyer", "SIP/erin-00000017",
                                                                "1005", "Zoë", "1795425665.39")
             SNAPSHOT_OF("Spyee", "SIP/alice-00000015", "1001", "Alice Martin", "1795425664.37"),
         "channel/spy {'channel':'SIP/erin-00000017','uniqueid':'1795425665.39','on':true,"
         "'spied':'SIP/alice-00000015'}\n"),
    TOLD("1.8", "Event: ChanSpyStop|Privilege: call,all|SpyeeChannel: SIP/alice-00000019",
         "channel/spy {'on':false,'spied':'SIP/alice-00000019'}\n"),
    TOLD("13",
         "Event: ChanSpyStop|Privilege: call,all|" SNAPSHOT_OF("Spyer", "SIP/erin-00000017", "1005",
                                                               "Zoë", "1795425665.39"),
         "channel/spy {'channel':'SIP/erin-00000017','uniqueid':'1795425665.39','on':false}\n"),
    TOLD("20",
         "Event: ChanSpyStop|Privilege: call,all|" SNAPSHOT_OF("Spyer", "SIP/erin-00000017", "1005",
                                                               "Zoë", "1795425665.39")
             SNAPSHOT_OF("Spyee", "SIP/alice-00000015", "1001", "Alice Martin", "1795425664.37"),
         "channel/spy {'channel':'SIP/erin-00000017','uniqueid':'1795425665.39','on':false,"
         "'spied':'SIP/alice-00000015'}\n"),
    SEEN("1.8", "02-call-answered", "VarSet", "Variable: XIVO_",
         "channel/variable {'channel':'SIP/alice-00000000','uniqueid':'1795425203.0',"
         "'name':'XIVO_USERID','value':'1'}\n"),
    SEEN("20", "02-call-answered", "VarSet", "Variable: XIVO_",
         "channel/variable {'channel':'SIP/alice-00000015','uniqueid':'1795424564.21',"
         "'name':'XIVO_USERID','value':'1'}\n"),
    SEEN("20", "02-call-answered", "VarSet", "Variable: __XIVO_",
         "channel/variable {'channel':'SIP/alice-00000015','uniqueid':'1795424564.21',"
         "'name':'XIVO_BASE_CONTEXT','value':'default'}\n"),
    TOLD("13", "Event: VarSet|" ALICE "Variable: XIVO_NAME|Value: No\xebl",
         "channel/variable {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'name':'XIVO_NAME','value':'No�l'}\n"),
    TOLD("1.8",
         "Event: VarSet|Privilege: dialplan,all|Channel: none|Variable: XIVO_NIGHT|Value: 1|"
         "Uniqueid: none",
         "channel/variable {'name':'XIVO_NIGHT','value':'1'}\n"),
    TOLD("20",
         "Event: VarSet|Privilege: dialplan,all|Uniqueid: none|Channel: none|"
         "Variable: XIVO_NIGHT|Value: ",
         "channel/variable {'name':'XIVO_NIGHT','value':''}\n"),
    ANSWERED("1.8", "Getvar",
             "Response: Success|ActionID: x-1|Variable: XIVO_ORIGACTIONID|Value: 42",
             "channel/variable {'name':'XIVO_ORIGACTIONID','value':'42'}\n"),
    ANSWERED("20", "Getvar",
             "Response: Success|ActionID: x-1|Variable: XIVO_ORIGACTIONID|Value: 42",
             "channel/variable {'name':'XIVO_ORIGACTIONID','value':'42'}\n"),
    SEEN("1.8", "33-midcall-login", "CoreShowChannel", "SIP/erin",
         "channel/new {'channel':'SIP/erin-0000001f','uniqueid':'1795425795.49','state':6,"
         "'callerid_num':'1005','callerid_name':'Zoë Ñandú-Øster 日本',"
         "'context':'meetme','exten':'s','resync':true}\n"),
    SEEN("20", "33-midcall-login", "CoreShowChannel", "Local/5006@default-00000009;1",
         "channel/new {'channel':'Local/5006@default-00000009;1','uniqueid':'1795425673.48',"
         "'linkedid':'1795425673.48','state':6,'callerid_num':'777',"
         "'callerid_name':'Parqué','connected_num':'777','connected_name':'Parqué',"
         "'context':'default','exten':'700','resync':true}\n"),
    SEEN("1.8", "21-originate", "CoreShowChannel", "",
         "channel/new {'channel':'Local/5006@default-00000002;1',"
         "'uniqueid':'1795425437.122','state':6,'context':'default','exten':'5002',"
         "'resync':true}\n"),
    SEEN("20", "21-originate", "CoreShowChannel", "",
         "channel/new {'channel':'Local/5006@default-00000008;1','uniqueid':'my-chan-id-1',"
         "'linkedid':'my-chan-id-1','state':6,'context':'default','exten':'5002',"
         "'resync':true}\n"),
    /* ---- calls ---- */
    SEEN("1.8", "02-call-answered", "Dial", "SubEvent: Begin",
         "dial/begin {'channel':'SIP/alice-00000000','uniqueid':'1795425203.0',"
         "'callerid_num':'1001','callerid_name':'Alice Martin',"
         "'destination':'SIP/bob-00000001','dest_uniqueid':'1795425203.1'}\n"),
    SEEN("1.8", "02-call-answered", "Dial", "SubEvent: End",
         "dial/end {'channel':'SIP/alice-00000000','uniqueid':'1795425203.0',"
         "'status':'ANSWER'}\n"),
    SEEN("20", "02-call-answered", "DialBegin", "",
         "dial/begin {'channel':'SIP/alice-00000015','uniqueid':'1795424564.21',"
         "'linkedid':'1795424564.21','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'destination':'SIP/bob-00000016','dest_uniqueid':'1795424564.22',"
         "'dest_callerid_num':'1002','dest_callerid_name':'Bob Tremblay'}\n"),
    TOLD("20",
         "Event: DialBegin|" SNAPSHOT_OF("Dest", "SIP/bob-1", "1002", "Bob Tremblay",
                                         "1.2") "DialString: bob",
         "dial/begin {'destination':'SIP/bob-1','dest_uniqueid':'1.2',"
         "'dest_callerid_num':'1002','dest_callerid_name':'Bob Tremblay'}\n"),
    SEEN("20", "02-call-answered", "DialState", "",
         "dial/state {'channel':'SIP/alice-00000015','uniqueid':'1795424564.21',"
         "'linkedid':'1795424564.21','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'destination':'SIP/bob-00000016','dest_uniqueid':'1795424564.22',"
         "'dest_callerid_num':'1002','dest_callerid_name':'Bob Tremblay',"
         "'status':'RINGING'}\n"),
    SEEN("20", "02-call-answered", "DialEnd", "",
         "dial/end {'channel':'SIP/alice-00000015','uniqueid':'1795424564.21',"
         "'linkedid':'1795424564.21','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'destination':'SIP/bob-00000016','dest_uniqueid':'1795424564.22',"
         "'dest_callerid_num':'1002','dest_callerid_name':'Bob Tremblay','status':'ANSWER'}\n"),
    TOLD("18",
         "Event: DialEnd|" SNAPSHOT_OF("Dest", "Local/1003@default-0;1", "1003", "<unknown>",
                                       "1.2") "DialStatus: ANSWER",
         "dial/end {'destination':'Local/1003@default-0;1','dest_uniqueid':'1.2',"
         "'dest_callerid_num':'1003','status':'ANSWER'}\n"),
    TOLD("13",
         "Event: DialEnd|" ALICE SNAPSHOT_OF("Dest", "SIP/bob-1", "1002", "Bob",
                                             "1.2") "DialStatus: CANCEL|Forward: 1003",
         "dial/end {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'destination':'SIP/bob-1','dest_uniqueid':'1.2','dest_callerid_num':'1002',"
         "'dest_callerid_name':'Bob','status':'CANCEL','forward':'1003'}\n"),
    SEEN("1.8", "02-call-answered", "Bridge", "",
         "call/link {'channel':'SIP/alice-00000000','uniqueid':'1795425203.0',"
         "'other':'SIP/bob-00000001','other_uniqueid':'1795425203.1'}\n"),
    TOLD("11",
         "Event: Bridge|Privilege: call,all|Bridgestate: Link|Bridgetype: core|Channel1: SIP/a-1|"
         "Channel2: SIP/b-2|Uniqueid1: 1.1|Uniqueid2: 1.2|CallerID1: 1001|CallerID2: 1002",
         "call/link {'channel':'SIP/a-1','uniqueid':'1.1','other':'SIP/b-2',"
         "'other_uniqueid':'1.2'}\n"),
    TOLD("11",
         "Event: Bridge|Privilege: call,all|Bridgestate: Unlink|Bridgetype: core|Channel1: SIP/a-1|"
         "Channel2: SIP/b-2|Uniqueid1: 1.1|Uniqueid2: 1.2|CallerID1: 1001|CallerID2: 1002",
         "call/unlink {'channel':'SIP/a-1','uniqueid':'1.1','other':'SIP/b-2',"
         "'other_uniqueid':'1.2'}\n"),
    SEEN("1.8", "02-call-answered", "Unlink", "",
         "call/unlink {'channel':'SIP/alice-00000000','uniqueid':'1795425203.0',"
         "'other':'SIP/bob-00000001','other_uniqueid':'1795425203.1'}\n"),
    TOLD("1.4", "Event: Link|Channel1: SIP/a-1|Channel2: SIP/b-2|Uniqueid1: 1.1|Uniqueid2: 1.2",
         "call/link {'channel':'SIP/a-1','uniqueid':'1.1','other':'SIP/b-2',"
         "'other_uniqueid':'1.2'}\n"),
    SEEN("20", "02-call-answered", "BridgeCreate", "", ""),
    SEEN("20", "15-conference", "BridgeCreate", "base",
         "bridge/create {'bridge':'5bfd2bb4-3565-4e68-9f89-53acb3f5da11','count':0}\n"),
    SEEN("20", "02-call-answered", "BridgeEnter", "SIP/alice",
         "call/link {'channel':'SIP/alice-00000015','uniqueid':'1795424564.21',"
         "'other':'SIP/bob-00000016','other_uniqueid':'1795424564.22'}\n"),
    SEEN("20", "15-conference", "BridgeEnter", "base",
         "bridge/enter {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','bridge':'5bfd2bb4-3565-4e68-9f89-53acb3f5da11',"
         "'count':1}\n"),
    SEEN("20", "02-call-answered", "BridgeLeave", "",
         "call/unlink {'channel':'SIP/alice-00000015','uniqueid':'1795424564.21',"
         "'other':'SIP/bob-00000016','other_uniqueid':'1795424564.22'}\n"),
    SEEN("20", "15-conference", "BridgeLeave", "base",
         "bridge/leave {'channel':'SIP/bob-00000055','uniqueid':'1795424699.99',"
         "'linkedid':'1795424699.99','bridge':'5bfd2bb4-3565-4e68-9f89-53acb3f5da11',"
         "'count':2}\n"),
    SEEN("20", "02-call-answered", "BridgeDestroy", "", ""),
    SEEN("20", "15-conference", "BridgeDestroy", "base",
         "bridge/destroy {'bridge':'5bfd2bb4-3565-4e68-9f89-53acb3f5da11','count':0}\n"),
    TOLD("13",
         "Event: BridgeCreate|" BRIDGE("base", "0") "|Event: BridgeDestroy|" BRIDGE(
             "base", "0") "|Event: BridgeDestroy|" BRIDGE("base", "0"),
         "bridge/create {'bridge':'5bfd2bb4','count':0}\n"
         "bridge/destroy {'bridge':'5bfd2bb4','count':0}\n"),
    SEEN("20", "08-atxfer-ami", "BridgeMerge", "",
         "bridge/merge {'other':'e7c11fe2-7f79-472c-ae55-b075882d7ebb',"
         "'bridge':'f736302d-65e1-4162-a0d3-c271c6857a4a','count':1}\n"),
    SEEN("1.8", "16-parking", "Transfer", "",
         "call/transfer {'channel':'SIP/bob-0000004c','uniqueid':'1795425362.85',"
         "'kind':'blind','transferee':'SIP/alice-0000004b','target':'700'}\n"),
    TOLD("1.8",
         "Event: Transfer|Privilege: call,all|TransferMethod: SIP|TransferType: Blind|"
         "Channel: SIP/bob-0000001b|Uniqueid: 1795425236.28|SIP-Callid: 4964@127.0.0.1:5160|"
         "TargetChannel: SIP/alice-0000001a|TargetUniqueid: 1795425236.27|TransferExten: 1003|"
         "TransferContext: default",
         "call/transfer {'channel':'SIP/bob-0000001b','uniqueid':'1795425236.28',"
         "'context':'default','kind':'blind','transferee':'SIP/alice-0000001a',"
         "'target':'1003'}\n"),
    TOLD("1.8",
         "Event: Transfer|Privilege: call,all|TransferMethod: SIP|TransferType: Attended|"
         "Channel: SIP/bob-1|Uniqueid: 1.1|SIP-Callid: 4964@127.0.0.1:5160|"
         "TargetChannel: SIP/carol-2|TargetUniqueid: 1.2",
         "call/transfer {'channel':'SIP/bob-1','uniqueid':'1.1','kind':'attended',"
         "'target':'SIP/carol-2'}\n"),
    SEEN("20", "16-parking", "BlindTransfer", "",
         "call/transfer {'channel':'SIP/bob-00000061','uniqueid':'1795424726.114',"
         "'context':'default','kind':'blind','transferee':'SIP/alice-00000060',"
         "'target':'700','result':'Success'}\n"),
    SEEN("20", "08-atxfer-ami", "AttendedTransfer", "",
         "call/transfer {'channel':'SIP/bob-00000033','uniqueid':'1795424601.51',"
         "'kind':'attended','transferee':'SIP/alice-00000032',"
         "'target':'Local/1003@default-00000000;1','result':'Success'}\n"),
    TOLD("18",
         "Event: AttendedTransfer|Privilege: call,all|Result: Fail|" SNAPSHOT_OF(
             "OrigTransferer", "SIP/bob-1", "1002", "Bob",
             "1.1") "OrigBridgeUniqueid: 5bfd2bb4|OrigBridgeType: basic|OrigBridgeNumChannels: "
                    "1|" SNAPSHOT_OF("SecondTransferer", "SIP/bob-1", "1002", "Bob",
                                     "1.1") "IsExternal: No|DestType: Fail",
         "call/transfer {'channel':'SIP/bob-1','uniqueid':'1.1','kind':'attended',"
         "'result':'Fail'}\n"),
    TOLD("11",
         "Event: LocalBridge|Privilege: call,all|Channel1: Local/1003@default-0;1|"
         "Channel2: Local/1003@default-0;2|Uniqueid1: 1.3|Uniqueid2: 1.4|Context: default|"
         "Exten: 1003|LocalOptimization: Yes",
         "local/optimized {'context':'default','exten':'1003','status':'bridge',"
         "'one':'Local/1003@default-0;1','two':'Local/1003@default-0;2'}\n"),
    SEEN("20", "08-atxfer-ami", "LocalBridge", "",
         "local/optimized {'context':'default','exten':'1003','status':'bridge',"
         "'one':'Local/1003@default-00000000;1','two':'Local/1003@default-00000000;2'}\n"),
    SEEN("20", "08-atxfer-ami", "LocalOptimizationBegin", "",
         "local/optimized {'status':'begin','one':'Local/1003@default-00000000;1',"
         "'two':'Local/1003@default-00000000;2'}\n"),
    SEEN("20", "08-atxfer-ami", "LocalOptimizationEnd", "",
         "local/optimized {'status':'end','one':'Local/1003@default-00000000;1',"
         "'two':'Local/1003@default-00000000;2'}\n"),
    SEEN("1.8", "21-originate", "OriginateResponse", "Success",
         "originate/response {'channel':'SIP/alice-00000064','uniqueid':'1795425415.111',"
         "'callerid_num':'1002','callerid_name':'Bob Tremblay','context':'default',"
         "'exten':'1002','result':'Success','actionid':'orig-async-1','reason_code':4}\n"),
    SEEN("20", "21-originate", "OriginateResponse", "Success",
         "originate/response {'channel':'SIP/alice-0000007a','uniqueid':'1795424779.139',"
         "'callerid_num':'1002','callerid_name':'Bob Tremblay','context':'default',"
         "'exten':'1002','result':'Success','actionid':'orig-async-1','reason_code':4}\n"),
    SEEN("1.8", "21-originate", "OriginateResponse", "Failure",
         "originate/response {'channel':'SIP/alice','context':'default','exten':'1002',"
         "'result':'Failure','actionid':'orig-busy-async','reason_code':5}\n"),
    SEEN("20", "21-originate", "OriginateResponse", "Failure",
         "originate/response {'channel':'SIP/alice','context':'default','exten':'1002',"
         "'result':'Failure','actionid':'orig-busy-async','reason_code':5}\n"),
    /* ---- devices ---- */
    SEEN("1.8", "02-call-answered", "ExtensionStatus", "",
         "device/hint {'context':'default','exten':'1001','status':'1','hint':'SIP/alice'}\n"),
    SEEN("20", "02-call-answered", "ExtensionStatus", "",
         "device/hint {'context':'default','exten':'1001','status':'1','hint':'SIP/alice'}\n"),
    ANSWERED("1.8", "ExtensionStatus",
             "Response: Success|ActionID: x-1|Message: Extension Status|Exten: 1001|"
             "Context: default|Hint: SIP/alice|Status: 0",
             "device/hint {'context':'default','exten':'1001','status':'0','hint':'SIP/alice'}\n"),
    SEEN("20", "02-call-answered", "DeviceStateChange", "SIP/",
         "device/hint {'status':'1','hint':'SIP/alice'}\n"),
    SEEN("20", "28-hints-presence", "DeviceStateChange", "Custom:dnd1001",
         "device/custom {'status':'1','hint':'Custom:dnd1001'}\n"),
    SEEN("20", "28-hints-presence", "PresenceStateChange", "",
         "device/custom {'status':'away','hint':'CustomPresence:alice','subtype':'lunch',"
         "'text':'Déjeuner'}\n"),
    SEEN("1.8", "28-hints-presence", "PeerStatus", "",
         "device/registration {'status':'Unregistered','peer':'SIP/carol'}\n"),
    SEEN("20", "28-hints-presence", "PeerStatus", "Address",
         "device/registration {'status':'Registered','peer':'SIP/carol',"
         "'address':'127.0.0.1:6002'}\n"),
    TOLD("22",
         "Event: PeerStatus|Privilege: system,all|ChannelType: PJSIP|Peer: PJSIP/alice|"
         "PeerStatus: Unreachable",
         "device/registration {'status':'Unreachable','peer':'PJSIP/alice'}\n"),
    TOLD("22",
         "Event: ContactStatus|Privilege: system,all|URI: sip:alice@192.0.2.1:5060;transport=udp|"
         "ContactStatus: Reachable|AOR: alice|EndpointName: alice|RoundtripUsec: 1021",
         "device/registration {'status':'Reachable','peer':'PJSIP/alice',"
         "'address':'192.0.2.1:5060'}\n"),
    TOLD("22",
         "Event: ContactStatus|Privilege: system,all|URI: sip:alice@[2001:db8::1]:5060|"
         "ContactStatus: Removed|AOR: alice|EndpointName: alice",
         "device/registration {'status':'Unregistered','peer':'PJSIP/alice'}\n"),
    SEEN("1.8", "01-login-listing", "PeerEntry", "",
         "device/registration {'status':'Reachable','peer':'SIP/alice',"
         "'address':'127.0.0.1:6100','resync':true}\n"),
    SEEN("20", "01-login-listing", "PeerEntry", "",
         "device/registration {'status':'Reachable','peer':'SIP/alice',"
         "'address':'127.0.0.1:6000','resync':true}\n"),
    SEEN("1.8", "01-login-listing", "PeerEntry", "-none-",
         "device/registration {'status':'Unregistered','peer':'SIP/dave','resync':true}\n"),
    SEEN("20", "01-login-listing", "PeerEntry", "-none-",
         "device/registration {'status':'Unregistered','peer':'SIP/dave','resync':true}\n"),
    SEEN("1.8", "39-hold-moh-iax", "PeerEntry", "iaxloop",
         "device/registration {'status':'Registered','peer':'IAX2/iaxloop',"
         "'address':'127.0.0.1:4570'}\n"),
    SEEN("20", "39-hold-moh-iax", "PeerEntry", "iaxloop",
         "device/registration {'status':'Registered','peer':'IAX2/iaxloop',"
         "'address':'127.0.0.1:4569'}\n"),
    SEEN("1.8", "39-hold-moh-iax", "PeerEntry", "frank",
         "device/registration {'status':'Unregistered','peer':'IAX2/frank'}\n"),
    SEEN("20", "39-hold-moh-iax", "PeerEntry", "frank",
         "device/registration {'status':'Unregistered','peer':'IAX2/frank'}\n"),
    TOLD("22",
         "Event: EndpointList|ActionID: x-1|ObjectType: endpoint|ObjectName: alice|Transport: |"
         "Aor: alice|Auths: alice|OutboundAuths: |Contacts: alice/sip:alice@192.0.2.1:5061,|"
         "DeviceState: Not in use|ActiveChannels: ",
         "device/registration {'status':'Reachable','peer':'PJSIP/alice',"
         "'address':'192.0.2.1:5061','resync':true}\n"),
    TOLD("22",
         "Event: EndpointList|ActionID: x-1|ObjectType: endpoint|ObjectName: bob|Transport: |"
         "Aor: bob|Auths: bob|OutboundAuths: |Contacts: bob/sip:bob@192.0.2.1:5061;ob,|"
         "DeviceState: Unavailable|ActiveChannels: ",
         "device/registration {'status':'Unreachable','peer':'PJSIP/bob',"
         "'address':'192.0.2.1:5061','resync':true}\n"),
    TOLD("22",
         "Event: EndpointList|ActionID: x-1|ObjectType: endpoint|ObjectName: carol|Transport: |"
         "Aor: carol|Auths: carol|OutboundAuths: |Contacts: |DeviceState: Unavailable|"
         "ActiveChannels: ",
         "device/registration {'status':'Unregistered','peer':'PJSIP/carol','resync':true}\n"),
};

static void every_row_tells_what_the_block_says(void **state)
{
    rows_check(cases, ARRAY_SIZE(cases), ROWS_CALLS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row_tells_what_the_block_says)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

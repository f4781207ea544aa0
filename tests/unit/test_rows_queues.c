/* Rows of the table about queues, members and agents, with real blocks of each dialect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/rows.h"

static const struct row_case cases[] = {
    /* ---- queues ---- */
    SEEN("1.8", "11-queue-answered", "Join", "",
         "queue/join {'channel':'SIP/alice-0000002b','uniqueid':'1795425278.49',"
         "'callerid_num':'1001','callerid_name':'Alice Martin','count':1,'queue':'support',"
         "'position':1}\n"),
    SEEN("20", "11-queue-answered", "QueueCallerJoin", "",
         "queue/join {'channel':'SIP/alice-00000040','uniqueid':'1795424644.68',"
         "'linkedid':'1795424644.68','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'count':1,'queue':'support','position':1}\n"),
    SEEN("1.8", "11-queue-answered", "Leave", "",
         "queue/leave {'channel':'SIP/alice-0000002b','uniqueid':'1795425278.49','count':0,"
         "'queue':'support','position':1}\n"),
    SEEN("20", "11-queue-answered", "QueueCallerLeave", "",
         "queue/leave {'channel':'SIP/alice-00000040','uniqueid':'1795424644.68',"
         "'linkedid':'1795424644.68','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'connected_num':'1002','connected_name':'Bob Tremblay','count':0,"
         "'queue':'support','position':1}\n"),
    SEEN("1.8", "33-midcall-login", "QueueCallerAbandon", "",
         "queue/abandon {'uniqueid':'1795425795.50','queue':'support','position':1,"
         "'original_position':1,'holdtime':4}\n"),
    SEEN("20", "33-midcall-login", "QueueCallerAbandon", "",
         "queue/abandon {'channel':'SIP/pstn-0000001c','uniqueid':'1795425672.44',"
         "'linkedid':'1795425672.44','callerid_num':'0611111111',"
         "'callerid_name':'Client en attente','queue':'support','position':1,"
         "'original_position':1,'holdtime':4}\n"),
    SEEN("1.8", "01-login-listing", "QueueParams", "",
         "queue/params {'count':0,'resync':true,'queue':'support','holdtime':0,'talktime':0,"
         "'max':0,'strategy':'ringall','completed':0,'abandoned':0,'servicelevel':20,"
         "'weight':0}\n"),
    SEEN("20", "01-login-listing", "QueueParams", "",
         "queue/params {'count':0,'resync':true,'queue':'support','holdtime':0,'talktime':0,"
         "'max':0,'strategy':'ringall','completed':0,'abandoned':0,'servicelevel':20,"
         "'weight':0}\n"),
    TOLD("13",
         "Event: QueueParams|Queue: support|Max: 5|Strategy: leastrecent|Calls: 1|Holdtime: 3|"
         "TalkTime: 12|Completed: 4|Abandoned: 2|ServiceLevel: 20|ServicelevelPerf: 75.0|"
         "Weight: 1|ActionID: x-1",
         "queue/params {'count':1,'resync':true,'queue':'support','holdtime':3,"
         "'talktime':12,'max':5,'strategy':'leastrecent','completed':4,'abandoned':2,"
         "'servicelevel':20,'weight':1}\n"),
    SEEN("1.8", "11-queue-answered", "QueueEntry", "",
         "queue/entry {'channel':'SIP/alice-0000002b','uniqueid':'1795425278.49',"
         "'callerid_num':'1001','callerid_name':'Alice Martin','resync':true,"
         "'queue':'support','position':1,'wait':0}\n"),
    SEEN("20", "11-queue-answered", "QueueEntry", "",
         "queue/entry {'channel':'SIP/alice-00000040','uniqueid':'1795424644.68',"
         "'callerid_num':'1001','callerid_name':'Alice Martin','resync':true,"
         "'queue':'support','position':1,'wait':0}\n"),
    SEEN("1.8", "01-login-listing", "QueueSummary", "",
         "queue/summary {'count':0,'resync':true,'queue':'support','holdtime':0,"
         "'talktime':0,'logged_in':1,'available':1,'longest':0}\n"),
    SEEN("20", "01-login-listing", "QueueSummary", "",
         "queue/summary {'count':0,'resync':true,'queue':'support','holdtime':0,"
         "'talktime':0,'logged_in':1,'available':1,'longest':0}\n"),
    /* ---- members ---- */
    SEEN("1.8", "11-queue-answered", "QueueMemberStatus", "",
         "member/status {'status':'6','name':'Bob Tremblay','queue':'support',"
         "'interface':'SIP/bob','membership':'static','penalty':0,'calls_taken':0,"
         "'last_call':0,'paused':false}\n"),
    SEEN("20", "11-queue-answered", "QueueMemberStatus", "",
         "member/status {'status':'6','reason':'','name':'Bob Tremblay','queue':'support',"
         "'interface':'SIP/bob','state_interface':'SIP/bob','membership':'static',"
         "'penalty':0,'calls_taken':0,'last_pause':0,'wrapuptime':0,'login_time':1795424254,"
         "'last_call':0,'paused':false,'in_call':false,"
         "'ringinuse':false}\n"),
    TOLD("11",
         "Event: QueueMemberStatus|Privilege: agent,all|Queue: support|Location: "
         "Local/1002@default/n|"
         "MemberName: Bob Tremblay|StateInterface: SIP/bob|Membership: dynamic|Penalty: 0|"
         "CallsTaken: 3|LastCall: 1795424700|InCall: 1|Status: 2|Paused: 0",
         "member/status {'status':'2','name':'Bob Tremblay','queue':'support',"
         "'interface':'Local/1002@default/n','state_interface':'SIP/bob',"
         "'membership':'dynamic','penalty':0,'calls_taken':3,'last_call':1795424700,"
         "'paused':false,'in_call':true}\n"),
    SEEN("1.8", "01-login-listing", "QueueMember", "",
         "member/status {'status':'1','resync':true,'name':'Bob Tremblay','queue':'support',"
         "'interface':'SIP/bob','membership':'static','penalty':0,'calls_taken':0,"
         "'last_call':0,'paused':false}\n"),
    SEEN("20", "01-login-listing", "QueueMember", "",
         "member/status {'status':'1','resync':true,'reason':'','name':'Bob "
         "Tremblay','queue':'support',"
         "'interface':'SIP/bob','state_interface':'SIP/bob','membership':'static',"
         "'penalty':0,'calls_taken':0,'last_pause':0,'wrapuptime':0,'login_time':1795424254,"
         "'last_call':0,'paused':false,'in_call':false}\n"),
    TOLD("11",
         "Event: QueueMember|Queue: support|Name: Bob Tremblay|Location: SIP/bob|"
         "StateInterface: SIP/bob|Membership: static|Penalty: 0|CallsTaken: 3|"
         "LastCall: 1795424700|IsInCall: 1|Status: 2|Paused: 0|ActionID: x-1",
         "member/status {'status':'2','resync':true,'name':'Bob Tremblay','queue':'support',"
         "'interface':'SIP/bob','state_interface':'SIP/bob','membership':'static',"
         "'penalty':0,'calls_taken':3,'last_call':1795424700,'paused':false,'in_call':true}\n"),
    SEEN("1.8", "13-queue-members", "QueueMemberPenalty", "",
         "member/status {'queue':'support','interface':'SIP/carol','penalty':5}\n"),
    SEEN("20", "13-queue-members", "QueueMemberPenalty", "",
         "member/status {'status':'1','reason':'','name':'Carole Lefèvre','queue':'support',"
         "'interface':'SIP/carol','state_interface':'SIP/carol','membership':'dynamic',"
         "'penalty':5,'calls_taken':0,'last_pause':1795424673,'wrapuptime':0,'login_time':"
         "1795424671,"
         "'last_call':0,'paused':false,'in_call':false,"
         "'ringinuse':false}\n"),
    TOLD("11",
         "Event: QueueMemberRinginuse|Privilege: agent,all|Queue: support|Location: SIP/carol|"
         "Ringinuse: 1",
         "member/status {'queue':'support','interface':'SIP/carol','ringinuse':true}\n"),
    SEEN("20", "13-queue-members", "QueueMemberRinginuse", "",
         "member/status {'status':'1','reason':'','name':'Carole Lefèvre','queue':'support',"
         "'interface':'SIP/carol','state_interface':'SIP/carol','membership':'dynamic',"
         "'penalty':5,'calls_taken':0,'last_pause':1795424673,'wrapuptime':0,'login_time':"
         "1795424671,"
         "'last_call':0,'paused':false,'in_call':false,"
         "'ringinuse':true}\n"),
    SEEN("1.8", "13-queue-members", "QueueMemberAdded", "",
         "member/added {'status':'1','name':'Carole Lefèvre','queue':'support',"
         "'interface':'SIP/carol','membership':'dynamic','penalty':1,'calls_taken':0,"
         "'last_call':0,'paused':false}\n"),
    SEEN("20", "13-queue-members", "QueueMemberAdded", "",
         "member/added {'status':'1','name':'Carole Lefèvre','queue':'support',"
         "'interface':'SIP/carol','state_interface':'SIP/carol','membership':'dynamic',"
         "'penalty':1,'calls_taken':0,'last_pause':0,'wrapuptime':0,'login_time':1795424671,"
         "'last_call':0,'paused':false,'in_call':false,"
         "'ringinuse':false}\n"),
    SEEN("1.8", "13-queue-members", "QueueMemberRemoved", "",
         "member/removed {'name':'Carole Lefèvre','queue':'support',"
         "'interface':'SIP/carol'}\n"),
    SEEN("20", "13-queue-members", "QueueMemberRemoved", "",
         "member/removed {'status':'1','name':'Carole Lefèvre','queue':'support',"
         "'interface':'SIP/carol','state_interface':'SIP/carol','membership':'dynamic',"
         "'penalty':5,'calls_taken':0,'last_pause':1795424673,'wrapuptime':0,'login_time':"
         "1795424671,"
         "'last_call':0,'paused':false,'in_call':false,"
         "'ringinuse':true}\n"),
    SEEN("1.8", "13-queue-members", "QueueMemberPaused", "",
         "member/paused {'reason':'pause café','name':'Carole Lefèvre','queue':'support',"
         "'interface':'SIP/carol','paused':true}\n"),
    /* as chan_sip sites send it that pause a member again: the first reason no longer holds */
    TOLD("11",
         "Event: QueueMemberPaused|Privilege: agent,all|Queue: support|Location: SIP/carol|"
         "MemberName: Carole|Paused: 1",
         "member/paused {'reason':'','name':'Carole','queue':'support','interface':'SIP/carol',"
         "'paused':true}\n"),
    SEEN("20", "13-queue-members", "QueueMemberPause", "",
         "member/paused {'status':'1','reason':'pause café','name':'Carole Lefèvre',"
         "'queue':'support','interface':'SIP/carol','state_interface':'SIP/carol',"
         "'membership':'dynamic','penalty':1,'calls_taken':0,'last_pause':1795424672,'wrapuptime':"
         "0,'login_time':"
         "1795424671,"
         "'last_call':0,'paused':true,"
         "'in_call':false,'ringinuse':false}\n"),
    TOLD("13",
         "Event: QueueMemberPause|Privilege: agent,all|Queue: support|MemberName: Carole|"
         "Interface: SIP/carol|StateInterface: SIP/carol|Membership: dynamic|Penalty: 1|"
         "CallsTaken: 0|LastCall: 0|InCall: 0|Status: 1|Paused: 1|PausedReason: lunch|"
         "Ringinuse: 0|Reason: lunch",
         "member/paused {'status':'1','reason':'lunch','name':'Carole','queue':'support',"
         "'interface':'SIP/carol','state_interface':'SIP/carol','membership':'dynamic',"
         "'penalty':1,'calls_taken':0,'last_call':0,'paused':true,'in_call':false,"
         "'ringinuse':false}\n"),
    /* ---- agents ---- */
    SEEN("1.8", "11-queue-answered", "AgentCalled", "",
         "agent/called {'channel':'SIP/alice-0000002b','uniqueid':'1795425278.49',"
         "'callerid_num':'1001','callerid_name':'Alice Martin',"
         "'destination':'SIP/bob-0000002c','name':'Bob Tremblay','queue':'support',"
         "'member':'SIP/bob'}\n"),
    SEEN("20", "11-queue-answered", "AgentCalled", "",
         "agent/called {'channel':'SIP/alice-00000040','uniqueid':'1795424644.68',"
         "'linkedid':'1795424644.68','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'destination':'SIP/bob-00000041','dest_uniqueid':'1795424644.69',"
         "'name':'Bob Tremblay','queue':'support','member':'SIP/bob'}\n"),
    SEEN("1.8", "20-did-incoming", "AgentCalled", "",
         "agent/called {'channel':'SIP/pstn-00000008','uniqueid':'1795425757.10',"
         "'callerid_num':'0033142143001','callerid_name':'Pierre \\'Pete\\' O'Neil',"
         "'destination':'SIP/bob-00000009','name':'Bob Tremblay','queue':'support',"
         "'member':'SIP/bob'}\n"),
    SEEN("1.8", "11-queue-answered", "AgentConnect", "",
         "agent/connect {'uniqueid':'1795425278.49','destination':'SIP/bob-0000002c',"
         "'dest_uniqueid':'1795425278.50','name':'Bob Tremblay','queue':'support',"
         "'holdtime':1,'ringtime':0,'member':'SIP/bob'}\n"),
    SEEN("20", "11-queue-answered", "AgentConnect", "",
         "agent/connect {'channel':'SIP/alice-00000040','uniqueid':'1795424644.68',"
         "'linkedid':'1795424644.68','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'destination':'SIP/bob-00000041','dest_uniqueid':'1795424644.69',"
         "'name':'Bob Tremblay','queue':'support','holdtime':1,'ringtime':0,"
         "'member':'SIP/bob'}\n"),
    TOLD("11",
         "Event: AgentConnect|Privilege: agent,all|Queue: support|Uniqueid: 1.1|Channel: SIP/bob-2|"
         "Member: SIP/bob|MemberName: Bob Tremblay|HoldTime: 3|BridgedChannel: 1.2|RingTime: 2",
         "agent/connect {'uniqueid':'1.1','destination':'SIP/bob-2','dest_uniqueid':'1.2',"
         "'name':'Bob Tremblay','queue':'support','holdtime':3,'ringtime':2,"
         "'member':'SIP/bob'}\n"),
    SEEN("1.8", "11-queue-answered", "AgentComplete", "",
         "agent/complete {'uniqueid':'1795425278.49','destination':'SIP/bob-0000002c',"
         "'reason':'agent','name':'Bob Tremblay','queue':'support','holdtime':1,"
         "'talktime':1,'member':'SIP/bob'}\n"),
    SEEN("20", "11-queue-answered", "AgentComplete", "",
         "agent/complete {'channel':'SIP/alice-00000040','uniqueid':'1795424644.68',"
         "'linkedid':'1795424644.68','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'destination':'SIP/bob-00000041','dest_uniqueid':'1795424644.69','reason':'agent',"
         "'name':'Bob Tremblay','queue':'support','holdtime':1,'talktime':1,"
         "'member':'SIP/bob'}\n"),
    TOLD(
        "11",
        "Event: AgentComplete|Privilege: agent,all|Queue: support|Uniqueid: 1.1|Channel: SIP/bob-2|"
        "Member: SIP/bob|MemberName: Bob Tremblay|HoldTime: 3|TalkTime: 5|Reason: agent|"
        "Variable: QUEUENAME=support|Varia",
        "agent/complete {'uniqueid':'1.1','destination':'SIP/bob-2','reason':'agent',"
        "'name':'Bob Tremblay','queue':'support','holdtime':3,'talktime':5,"
        "'member':'SIP/bob'}\n"),
    TOLD("13",
         "Event: AgentComplete|Privilege: agent,all|Queue: support|Interface: SIP/bob|"
         "MemberName: Bob Tremblay|HoldTime: 1|TalkTime: 2|Reason: transfer|" SNAPSHOT_OF(
             "Dest", "SIP/bob-00000055", "1002", "Bob Tremblay", "1795424699.99") ALICE,
         "agent/complete {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'destination':'SIP/bob-00000055','dest_uniqueid':'1795424699.99',"
         "'reason':'transfer','name':'Bob Tremblay','queue':'support','holdtime':1,"
         "'talktime':2,'member':'SIP/bob'}\n"),
    TOLD("1.8",
         "Event: AgentDump|Privilege: agent,all|Queue: support|Uniqueid: 1.1|Channel: SIP/bob-2|"
         "Member: SIP/bob|MemberName: Bob Tremblay",
         "agent/dump {'uniqueid':'1.1','destination':'SIP/bob-2','name':'Bob Tremblay',"
         "'queue':'support','member':'SIP/bob'}\n"),
    TOLD("20",
         "Event: AgentDump|" ALICE SNAPSHOT_OF(
             "Dest", "SIP/bob-00000055", "1002", "Bob Tremblay",
             "1795424699.99") "Queue: support|Interface: SIP/bob|MemberName: Bob Tremblay",
         "agent/dump {'channel':'SIP/alice-00000054','uniqueid':'1795424698.96',"
         "'linkedid':'1795424698.96','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'destination':'SIP/bob-00000055','dest_uniqueid':'1795424699.99',"
         "'name':'Bob Tremblay','queue':'support','member':'SIP/bob'}\n"),
    TOLD("1.8",
         "Event: AgentRingNoAnswer|Privilege: agent,all|Queue: support|Uniqueid: 1795425284.53|"
         "Channel: SIP/alice-0000002f|Member: SIP/bob|MemberName: Bob Tremblay|Ringtime: 4000|"
         "Variable: XIVO_SRCNUM=1001",
         "agent/ringnoanswer {'channel':'SIP/alice-0000002f','uniqueid':'1795425284.53',"
         "'name':'Bob Tremblay','queue':'support','ringtime_ms':4000,'member':'SIP/bob'}\n"),
    TOLD("11",
         "Event: AgentRingNoAnswer|Privilege: agent,all|Queue: support|Uniqueid: 1795425284.53|"
         "Channel: SIP/alice-0000002f|Member: SIP/bob|MemberName: Bob Tremblay|RingTime: 4000",
         "agent/ringnoanswer {'channel':'SIP/alice-0000002f','uniqueid':'1795425284.53',"
         "'name':'Bob Tremblay','queue':'support','ringtime_ms':4000,'member':'SIP/bob'}\n"),
    SEEN("20", "14-agent", "AgentRingNoAnswer", "",
         "agent/ringnoanswer {'channel':'SIP/carol-00000051','uniqueid':'1795424681.85',"
         "'linkedid':'1795424681.85','callerid_num':'1003',"
         "'callerid_name':'Carole Lefèvre','destination':'Local/2002@agents-00000003;1',"
         "'dest_uniqueid':'1795424683.88','name':'Agent/2002','queue':'agentq',"
         "'ringtime_ms':0,'member':'Local/2002@agents'}\n"),
    SEEN("1.8", "14-agent", "Agentlogin", "",
         "agent/login {'channel':'SIP/alice-00000000','uniqueid':'1795425731.0',"
         "'agent':'2001'}\n"),
    SEEN("20", "14-agent", "AgentLogin", "",
         "agent/login {'channel':'SIP/alice-00000050','uniqueid':'1795424678.84',"
         "'linkedid':'1795424678.84','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'agent':'2001'}\n"),
    SEEN("1.8", "14-agent", "Agentlogoff", "",
         "agent/logoff {'uniqueid':'1795425731.0','agent':'2001','logintime':15}\n"),
    SEEN("20", "14-agent", "AgentLogoff", "",
         "agent/logoff {'channel':'SIP/alice-00000050','uniqueid':'1795424678.84',"
         "'linkedid':'1795424678.84','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'agent':'2001','logintime':14}\n"),
    TOLD("1.4",
         "Event: Agentcallbacklogin|Privilege: agent,all|Agent: 2001|Loginchan: 1001@default|"
         "Uniqueid: 1.1",
         "agent/login {'uniqueid':'1.1','exten':'1001@default','agent':'2001'}\n"),
    TOLD("1.4",
         "Event: Agentcallbacklogoff|Privilege: agent,all|Agent: 2001|Reason: CommandLogoff|"
         "Loginchan: 1001@default|Logintime: 12",
         "agent/logoff {'exten':'1001@default','agent':'2001','logintime':12}\n"),
    SEEN("1.8", "14-agent", "Agents", "LOGGEDOFF",
         "agent/logoff {'status':'AGENT_LOGGEDOFF','resync':true,'name':'Alice Agent',"
         "'agent':'2001'}\n"),
    SEEN("20", "14-agent", "Agents", "LOGGEDOFF",
         "agent/logoff {'status':'AGENT_LOGGEDOFF','resync':true,'name':'Alice Agent',"
         "'agent':'2001'}\n"),
    SEEN("1.8", "14-agent", "Agents", "AGENT_IDLE",
         "agent/login {'channel':'SIP/alice-00000000','status':'AGENT_IDLE','resync':true,"
         "'name':'Alice Agent','agent':'2001'}\n"),
    SEEN("20", "14-agent", "Agents", "AGENT_IDLE",
         "agent/login {'channel':'SIP/alice-00000050','uniqueid':'1795424678.84',"
         "'linkedid':'1795424678.84','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'status':'AGENT_IDLE','resync':true,'name':'Alice Agent','agent':'2001'}\n"),
    SEEN("1.8", "14-agent", "Agents", "AGENT_ONCALL",
         "agent/login {'channel':'SIP/alice-00000000','status':'AGENT_ONCALL',"
         "'other':'SIP/carol-00000001','resync':true,'name':'Alice Agent','agent':'2001'}\n"),
    SEEN("20", "14-agent", "Agents", "AGENT_ONCALL",
         "agent/login {'channel':'SIP/alice-00000050','uniqueid':'1795424678.84',"
         "'linkedid':'1795424678.84','callerid_num':'1001','callerid_name':'Alice Martin',"
         "'status':'AGENT_ONCALL','other':'SIP/carol-00000051','resync':true,"
         "'name':'Alice Agent','agent':'2001'}\n"),
};

static void every_row_tells_what_the_block_says(void **state)
{
    rows_check(cases, ARRAY_SIZE(cases), ROWS_QUEUES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row_tells_what_the_block_says)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

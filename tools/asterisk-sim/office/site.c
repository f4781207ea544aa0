#include "office/site.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "json/json.h"

/* Written with ' for ": there is no other in it. */
static const char text[] =
    "{'main':{'incoming_tcp':{'CTI':['127.0.0.1',5003,true],'FAGI':['127.0.0.1',5002,"
    "true]},'logintimeout':5,'sockettimeout':2,'parting_astid_context':[]},'ipbxes':{"
    "'xivo':{'ipbx_connection':{'ipaddress':'127.0.0.1','ipport':5038,"
    "'username':'ctibus','password':'secret'},'urllists':{'urllist_users':["
    "'file:users.json'],'urllist_lines':['file:lines.json'],'urllist_agents':["
    "'file:agents.json'],'urllist_queues':['file:queues.json'],'urllist_groups':["
    "'file:groups.json'],'urllist_meetmes':['file:meetmes.json'],'urllist_voicemails':["
    "'file:voicemails.json'],'urllist_incalls':['file:incalls.json'],'urllist_contexts':["
    "'file:contexts.json'],'urllist_trunks':['file:trunks.json'],'urllist_parkinglot':["
    "'file:parkinglots.json']}}},'profiles':{'client':{'name':'Client','xlets':[["
    "'identity','grid','0'],['dial','grid','1'],['tabber','grid','2'],['search','tab',"
    "'0'],['people','tab','1'],['history','tab','2']],'regcommands':'all',"
    "'ipbxcommands':'all','services':'std','preferences':'std','userstatus':'std',"
    "'phonestatus':'std'},'agent':{'name':'Agent','xlets':[['identity','grid','0'],["
    "'dial','grid','1'],['tabber','grid','2'],['search','tab','0'],['people','tab','1'],["
    "'history','tab','2'],['agents','tab','3'],['queues','tab','4'],['agentdetails',"
    "'tab','5']],'regcommands':'all','ipbxcommands':'all','services':'std',"
    "'preferences':'std','userstatus':'std','phonestatus':'std'},'supervisor':{"
    "'name':'Supervisor','xlets':[['identity','grid','0'],['dial','grid','1'],['tabber',"
    "'grid','2'],['search','tab','0'],['people','tab','1'],['history','tab','2'],["
    "'agents','tab','3'],['queues','tab','4'],['agentdetails','tab','5'],['queuedetails',"
    "'tab','6'],['conference','tab','7']],'regcommands':'all','ipbxcommands':'all',"
    "'services':'std','preferences':'std','userstatus':'std','phonestatus':'std',"
    "'history':['group','queue']},"
    "'switchboard':{'name':'Switchboard','xlets':[['identity','grid','0'],['dial','grid',"
    "'1'],['tabber','grid','2'],['search','tab','0'],['people','tab','1'],['history',"
    "'tab','2'],['switchboard','tab','3'],['parking','tab','4'],['conference','tab',"
    "'5']],'regcommands':'all','ipbxcommands':'all','services':'std','preferences':'std',"
    "'userstatus':'std','phonestatus':'std'}},'userstatus':{'std':{'available':{"
    "'longname':'Available','color':'#08FD20','allowed':['available','away','outtolunch',"
    "'donotdisturb','berightback'],'actions':{'enablednd':'false'}},'away':{"
    "'longname':'Away','color':'#FDE50A','allowed':['available','away','outtolunch',"
    "'donotdisturb','berightback'],'actions':{'enablednd':'false'}},'outtolunch':{"
    "'longname':'Out to lunch','color':'#001AFF','allowed':['available','away',"
    "'outtolunch','donotdisturb','berightback'],'actions':{'enablednd':'false'}},"
    "'donotdisturb':{'longname':'Do not disturb','color':'#FF032D','allowed':["
    "'available','away','outtolunch','donotdisturb','berightback'],'actions':{"
    "'enablednd':'true'}},'berightback':{'longname':'Be right back','color':'#FFB545',"
    "'allowed':['available','away','outtolunch','donotdisturb','berightback'],'actions':{"
    "'enablednd':'false'}},'disconnected':{'longname':'Disconnected','color':'#202020',"
    "'actions':{'agentlogoff':''}}}},'phonestatus':{'std':{'-2':{'longname':'Removed',"
    "'color':'#030303'},'-1':{'longname':'Deactivated','color':'#000000'},'0':{"
    "'longname':'Available','color':'#0DFF25'},'1':{'longname':'On the phone',"
    "'color':'#FF032D'},'2':{'longname':'Busy','color':'#FF0008'},'4':{"
    "'longname':'Unavailable','color':'#FFFFFF'},'8':{'longname':'Ringing',"
    "'color':'#1B0AFF'},'9':{'longname':'On the phone, ringing','color':'#FF0526'},'16':{"
    "'longname':'On hold','color':'#F7FF05'}}},'regcommands':{'all':['login_id',"
    "'login_pass','login_capas','logout','keepalive','getipbxlist','getlist',"
    "'availstate','featuresget','featuresput','history','getqueuesstats','getagentsstats',"
    "'subscribetoqueuesstats','directory','people_headers','people_search',"
    "'people_favorites','people_set_favorite','people_personal_contacts',"
    "'people_create_personal_contact','people_personal_contact_raw',"
    "'people_edit_personal_contact','people_delete_personal_contact',"
    "'people_purge_personal_contacts','people_import_personal_contacts_csv',"
    "'people_export_personal_contacts_csv','get_switchboard_directory_headers',"
    "'switchboard_directory_search','chitchat','chat_history','ipbxcommand','subscribe',"
    "'register_agent_status_update','unregister_agent_status_update',"
    "'register_endpoint_status_update','unregister_endpoint_status_update',"
    "'register_user_status_update','unregister_user_status_update','get_relations',"
    "'parking','answer','hangup','hold_switchboard','resume_switchboard',"
    "'direct_transfer','attended_transfer','complete_transfer','cancel_transfer',"
    "'attended_transfer_voicemail','blind_transfer_voicemail','invite_confroom',"
    "'callcampaign','call_form_result','actionfiche','logfromclient','faxsend',"
    "'filetransfer','sheet']},'ipbxcommands':{'all':['agentlogin','agentlogout','answer',"
    "'atxfer','cancel','dial','dtmf','hangup','hangupme','intercept','listen','mailboxcount',"
    "'meetme','originate','parking','queueadd','queuepause','queuepause_all',"
    "'queueremove','queueremove_all','queueunpause','queueunpause_all','record','refuse',"
    "'sipnotify','stoplisten','transfer','transfercancel','whisper','barge']},'services':{'std':["
    "'enablednd','fwdunc','fwdbusy','fwdrna']},'preferences':{'std':{}},'sheets':{"
    "'events':{'dial':[{'display':'call','option':'quiet','condition':'called'}],'link':["
    "{'display':'call','option':'focus','condition':'called'}]},'displays':{'call':{"
    "'sheet_info':{'10':['Name','title','','{xivo-calleridname}'],'20':['Number','phone',"
    "'','{xivo-calleridnum}'],'30':['In the directory','text','unknown','{db-fullname}'],"
    "'40':['Company','text','','{db-company}'],'50':['Called','text','','{"
    "xivo-calledidnum}'],'60':['Queue','text','','{xivo-queuename}']},'systray_info':{"
    "'10':['Name','title','','{xivo-calleridname}'],'20':['Number','body','','{"
    "xivo-calleridnum}']}}},'options':{'quiet':{'focus':'no','zip':1},'focus':{"
    "'focus':'yes','zip':1}},'conditions':{'called':{'whom':'dest'}}},'directories':{"
    "'internal':{'name':'Colleagues','uri':'internal'},'contacts':{'name':'Contacts',"
    "'uri':'file:contacts.csv','delimiter':',','match_direct':['firstname','lastname',"
    "'company'],'match_reverse':['phone','mobile'],'field_fullname':['name'],"
    "'field_company':['company'],'field_phone':['phone','mobile'],'field_mail':['email'],"
    "'field_mobile':['mobile']}},'displays':{'std':{'10':['Name','','','{db-fullname}'],"
    "'20':['Number','phone','','{db-phone}'],'30':['Company','','','{db-company}'],'40':["
    "'Source','','','{xivo-directory}']},'people':{'10':['Name','name','','{"
    "db-fullname}'],'20':['Number','number','','{db-phone}'],'30':['Mobile',"
    "'number_mobile','','{db-mobile}'],'35':['E-mail','email','','{db-mail}'],"
    "'40':['Agent','agent','',''],'50':['Favorite',"
    "'favorite','',''],'60':['Personal','personal','','']},'switchboard':{'10':['Icon',"
    "'status','',''],'20':['Name','name','','{db-fullname}'],'30':['Number',"
    "'number_office','','{db-phone}'],'40':['Number','number_mobile','','{db-mobile}'],"
    "'50':['Company','','','{db-company}']}},'contexts':{'default':{'directories':["
    "'internal','contacts'],'display':'std','didextens':{'*':['internal','contacts']}}},"
    "'ctibus':{'bus':{'publish':'tcp://127.0.0.1:5550',"
    "'subscribe':'tcp://127.0.0.1:5551','request':'tcp://127.0.0.1:5552'},'http':{"
    "'state':'127.0.0.1:9101','ami-gw':'127.0.0.1:9102','fagi-gw':'127.0.0.1:9103',"
    "'cti-gw':'127.0.0.1:9104','http-gw':'127.0.0.1:9106'},'cti':{'websocket':'127.0.0.1:5080'},'"
    "retention':{'chat_days':30},"
    "'features':{'publish':['agi','astdb','devstate']},'"
    "agents':{'login':'member',"
    "'queues':{'*':['support'],'2002':['sales'],'2005':['sales'],'2006':['sales'],"
    "'2007':['sales'],'2009':['sales']}}}}";

/* A copy, named `to`, of a member of a section. */
static struct json_object *copy_member(struct json_object *section, const char *from,
                                       const char *to)
{
    struct json_object *copy = NULL;

    if (json_object_deep_copy(json_get(section, from), &copy, NULL) < 0)
        return NULL;
    json_object_object_add(section, to, copy);
    return copy;
}

/* What an administrator may do beside what everybody may. */
static void add_administrators(struct json_object *site)
{
    static const char *const commands[] = {"admin_status", "admin_kick", "admin_reload"};
    struct json_object *profile =
        copy_member(json_get(site, "profiles"), "supervisor", "administrator");
    struct json_object *list = copy_member(json_get(site, "regcommands"), "all", "administrator");

    if (!profile || !list)
        return;
    json_object_object_add(profile, "name", json_object_new_string("Administrator"));
    json_object_object_add(profile, "regcommands", json_object_new_string("administrator"));
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        json_object_array_add(list, json_object_new_string(commands[i]));
}

struct json_object *site_new(void)
{
    char *json = strdup(text);
    struct json_object *o;

    if (!json)
        return NULL;
    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    o = json_tokener_parse(json);
    free(json);
    if (o)
        add_administrators(o);
    return o;
}

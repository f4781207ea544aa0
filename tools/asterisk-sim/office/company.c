#include "office/company.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"

const struct company_queue company_queues[COMPANY_QUEUES] = {
    {"support", "Support", "3001", "0123459001", "rrmemory", 60, 15, 5},
    {"sales", "Sales", "3002", "0123459002", "rrmemory", 45, 12, 10},
};

const struct company_outsider company_outsiders[] = {
    {"Émile Dubois", "Émile", "Dubois", "Boulangerie Dubois", "+33123456789", "+33612345678",
     "emile@dubois.example", "+33123456789"},
    {"Noëlle Garçon", "Noëlle", "Garçon", "Garçon, Père & Fils", "0199900180", "",
     "contact@garcon.example", "0199900180"},
    {"Müller GmbH", "", "Müller", "Müller GmbH", "+4930123456", "", "", "+4930123456"},
    {"Siobhan Byrne", "Siobhan", "Byrne", "Byrne Logistics", "+35312345678", "+353861234567",
     "s.byrne@byrne.example", "+353861234567"},
    {"Αλέξης Παπαδόπουλος", "Αλέξης", "Παπαδόπουλος", "Aegean Foods", "+302101234567", "",
     "alexis@aegean.example", "+302101234567"},
    {"ليلى منصور", "ليلى", "منصور", "Mansour Travel", "+21671123456", "", "leila@mansour.example",
     "+21671123456"},
    {"佐藤 花子", "花子", "佐藤", "Sato Optics", "+81312345678", "", "hanako@sato.example",
     "+81312345678"},
    {"Rosa Ibáñez", "Rosa", "Ibáñez", "Ibáñez Hermanos", "+34911234567", "+34612345678",
     "rosa@ibanez.example", "+34612345678"},
    {"City Hospital", "", "City Hospital", "City Hospital", "0142143000", "", "", "0142143000"},
    {"Pat's Taxi", "", "Pat's Taxi", "Pat's Taxi", "0142990000", "", "", NULL},
};
const size_t company_n_outsiders = ARRAY_SIZE(company_outsiders);

const char *const company_strangers[] = {"anonymous", "0601020304", "0711223344", "+14165550143",
                                         "0298765432"};
const size_t company_n_strangers = ARRAY_SIZE(company_strangers);

/* Queue 0 is support, 1 sales. `pool`: see company_person. */
static const struct {
    const char *first, *last, *login, *profile;
    int queue;
    bool pool;
} people[] = {
    {"Alice", "Martin", "alice", "administrator", 0, false},
    {"Bob", "Tremblay", "bob", "agent", 1, false},
    {"Carole", "Lefèvre", "carole", "agent", 0, false},
    {"David", "Nolan", "david", "agent", 0, false},
    {"Zoë", "Ñandú-Øster", "zoe", "agent", 0, false},
    {"Émile", "Gagnon", "emile", "agent", 1, false},
    {"François", "Côté", "francois", "supervisor", -1, false},
    {"Gül", "Yıldız", "gul", "agent", 1, false},
    {"Hélène", "Beaulieu", "helene", "switchboard", -1, false},
    {"Иван", "Петров", "ivan", "client", -1, false},
    {"Jürgen", "Müller", "jurgen", "agent", 1, false},
    {"健二", "田中", "kenji", "client", -1, false},
    {"Léa", "Fortin", "lea", "agent", 0, true},
    {"Małgorzata", "Wójcik", "malgorzata", "client", -1, false},
    {"Noël", "Bélanger", "noel", "client", -1, false},
    {"Olivia", "Okafor", "olivia", "agent", 1, true},
    {"Pedro", "Álvarez", "pedro", "client", -1, false},
    {"Quentin", "Roy", "quentin", "client", -1, false},
    {"Rania", "Haddad", "rania", "client", -1, false},
    {"Søren", "Kjær", "soren", "client", -1, false},
    {"Thi", "Nguyễn", "thi", "client", -1, false},
    {"Ursula", "Weiß", "ursula", "client", -1, false},
    {"Víctor", "Hernández", "victor", "client", -1, false},
    {"Wanda", "Szabó", "wanda", "client", -1, false},
    {"Xavier", "Lévesque", "xavier", "client", -1, false},
    {"Yasmine", "Benali", "yasmine", "client", -1, false},
    {"Ángel", "Ruiz", "angel", "client", -1, false},
    {"Brigitte", "Morin", "brigitte", "client", -1, false},
    {"Chidi", "Adeyemi", "chidi", "client", -1, false},
    {"Dagný", "Jónsdóttir", "dagny", "client", -1, false},
};

static const char *const firsts[] = {"Agnes", "Boris",  "Clara", "Dmitri", "Elsa",  "Farid",
                                     "Greta", "Hugo",   "Inès",  "Jonas",  "Katja", "Lars",
                                     "Marta", "Nadia",  "Oskar", "Paula",  "Rémi",  "Sofia",
                                     "Tomás", "Ulrike", "Vera",  "Wim",    "Yann",  "Zeynep"};
static const char *const lasts[] = {"Abbott",   "Berger", "Castro",  "Durand",  "Eriksson",
                                    "Fischer",  "Girard", "Hansen",  "Ivanova", "Jansen",
                                    "Kowalski", "Lopez",  "Moreau",  "Novák",   "Olsen",
                                    "Pérez",    "Rossi",  "Schmidt", "Tanaka",  "Vidal"};

/* Of those beyond the table every tenth is an agent. */
static void generated(unsigned i, struct company_person *p)
{
    unsigned k = i - (unsigned)ARRAY_SIZE(people);

    snprintf(p->first, sizeof(p->first), "%s", firsts[k % ARRAY_SIZE(firsts)]);
    snprintf(p->last, sizeof(p->last), "%s %u", lasts[k / 5 % ARRAY_SIZE(lasts)], i + 1);
    snprintf(p->login, sizeof(p->login), "user%u", i + 1);
    p->profile = k % 10 == 0 ? "agent" : "client";
    p->queue = k % 10 == 0 ? (int)(k / 10 % COMPANY_QUEUES) : -1;
}

/* Agents are numbered in order of their people. */
static unsigned agents_before(unsigned index)
{
    unsigned n = 0;

    for (unsigned i = 0; i < index && i < ARRAY_SIZE(people); i++)
        n += people[i].queue >= 0;
    if (index > ARRAY_SIZE(people))
        n += (index - (unsigned)ARRAY_SIZE(people) + 9) / 10;
    return n;
}

void company_person(unsigned index, struct company_person *p)
{
    *p = (struct company_person){.queue = -1};
    if (index < ARRAY_SIZE(people)) {
        snprintf(p->first, sizeof(p->first), "%s", people[index].first);
        snprintf(p->last, sizeof(p->last), "%s", people[index].last);
        snprintf(p->login, sizeof(p->login), "%s", people[index].login);
        p->profile = people[index].profile;
        p->queue = people[index].queue;
        p->pool = people[index].pool;
    } else {
        generated(index, p);
    }
    if (p->queue >= 0 && agents_before(index) < COMPANY_MAX_AGENTS)
        p->agent = COMPANY_FIRST_AGENT + agents_before(index);
    else
        p->queue = -1;
    snprintf(p->number, sizeof(p->number), "%u", index < 899 ? 1001 + index : 10001 + index);
    snprintf(p->did, sizeof(p->did), "012345%04u", (index + 1) % 10000);
}

/* The time zone in which dates are told. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/internal.h"

#define ZONES "/usr/share/zoneinfo/"

/* "Europe/Paris": a file of the system's zones. */
static bool has_file(const char *zone)
{
    char path[256];
    char head[4];
    bool good;
    int fd;

    if (*zone == '/' || *zone == '.' || strstr(zone, "..") ||
        snprintf(path, sizeof(path), ZONES "%s", zone) >= (int)sizeof(path))
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    good = read(fd, head, sizeof(head)) == sizeof(head) && memcmp(head, "TZif", 4) == 0;
    close(fd);
    return good;
}

static bool is_utc(const char *zone)
{
    return strcmp(zone, "UTC") == 0;
}

bool config_zone_is_known(const char *zone)
{
    return is_utc(zone) || has_file(zone);
}

/* Beside names TZ may hold a path, and rules: those have figures. */
bool config_environment_zone_is_known(const char *tz)
{
    return *tz == '\0' || *tz == ':' || *tz == '/' || strpbrk(tz, "0123456789") ||
           config_zone_is_known(tz);
}

void config_check_timezone(struct config *cfg)
{
    const char *zone = config_str(cfg, "ctibus.timezone");

    if (zone && !config_zone_is_known(zone))
        config_fault(cfg, "ctibus.timezone",
                     "there is no time zone \"%s\": it is a name such as Europe/Paris, of those in "
                     "/usr/share/zoneinfo (package tzdata)",
                     zone);
}

void config_apply_timezone(const struct config *cfg)
{
    const char *zone = config_str(cfg, "ctibus.timezone");

    if (zone)
        setenv("TZ", zone, 1);
    tzset();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Wall-clock times in reports. RFC 3339. */
#include "report/report.h"

#include <time.h>

void report_add_time(struct text *text, sonde_ns wall_ns, int decimals)
{
    time_t seconds = (time_t)(wall_ns / SONDE_NS_PER_S);
    sonde_ns rest = wall_ns % SONDE_NS_PER_S;
    struct tm tm = {0};
    if (gmtime_r(&seconds, &tm) == NULL)
        return;
    text_addf(text, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
              tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (decimals > 0) {
        for (int i = decimals; i < 9; i++)
            rest /= 10;
        text_addf(text, ".%0*lld", decimals, (long long)rest);
    }
    text_add(text, "Z");
}

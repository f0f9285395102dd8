/* SPDX-License-Identifier: BSD-2-Clause */
/* Attempts and who has a claim on their answers; see engine/claim.h. */
#include "engine/claim.h"

void claims_begin(struct claims *claims, uint32_t token, sonde_ns until_ns)
{
    if (claims->begun == UINT32_MAX) /* 0 is "none was": what answers name of a number stays */
        claims->begun -= UINT32_C(1) << 31;
    uint32_t at = claims->begun++ % CLAIMS_KEPT;
    claims->tokens[at] = token;
    claims->sharers[at] = 0;
    claims->heard &= ~(UINT32_C(1) << at);
    claims->free_ns = until_ns;
    claims->answered = false;
}

void claims_left(struct claims *claims, sonde_ns until_ns)
{
    claims->free_ns = until_ns;
}

void claims_answered(struct claims *claims, sonde_ns quiet_ns)
{
    claims->answered = true;
    claims->open = claims_newest(claims);
    claims->free_ns = quiet_ns;
}

uint32_t claims_newest(const struct claims *claims)
{
    return claims->begun > 0 ? claims->begun - 1 : 0;
}

/* How many attempts ago one of that number was begun: 0 = it is the newest. */
static uint32_t age_of(const struct claims *claims, uint32_t number, unsigned bits)
{
    uint32_t mask = bits < 32 ? (UINT32_C(1) << bits) - 1 : UINT32_MAX;
    return (claims_newest(claims) - number) & mask;
}

void claims_remind(struct claims *claims, uint32_t number, unsigned bits, sonde_ns quiet_ns)
{
    claims->open = claims_newest(claims) - age_of(claims, number, bits);
    claims->free_ns = ns_max(claims->free_ns, quiet_ns);
}

static bool is_kept(const struct claims *claims, uint32_t age)
{
    return age < CLAIMS_KEPT && age < claims->begun;
}

bool claims_has_gaps(const struct claims *claims)
{
    uint32_t kept = claims->begun < CLAIMS_KEPT ? claims->begun : CLAIMS_KEPT;
    return claims->heard != 0 && claims->heard != (UINT32_C(1) << kept) - 1;
}

enum claim_owner claims_owner(const struct claims *claims, uint32_t number, unsigned bits,
                              uint32_t *ret_token)
{
    uint32_t age = age_of(claims, number, bits);
    if (!is_kept(claims, age))
        return CLAIM_NOBODY;
    uint32_t at = (claims_newest(claims) - age) % CLAIMS_KEPT;
    *ret_token = claims->tokens[at];
    return claims->sharers[at] > 0 ? CLAIM_SHARED : CLAIM_ONE;
}

bool claims_is_older(const struct claims *claims, uint32_t number, unsigned bits)
{
    uint32_t age = age_of(claims, number, bits);
    return age > 0 && is_kept(claims, age);
}

void claims_share(struct claims *claims, uint32_t number)
{
    uint8_t *sharers = &claims->sharers[number % CLAIMS_KEPT];
    if (is_kept(claims, claims_newest(claims) - number) && *sharers < UINT8_MAX)
        ++*sharers;
}

void claims_unshare(struct claims *claims, uint32_t number)
{
    uint8_t *sharers = &claims->sharers[number % CLAIMS_KEPT];
    if (is_kept(claims, claims_newest(claims) - number) && *sharers > 0)
        --*sharers;
}

void claims_hear(struct claims *claims, uint32_t number)
{
    if (is_kept(claims, claims_newest(claims) - number))
        claims->heard |= UINT32_C(1) << number % CLAIMS_KEPT;
}

bool claims_is_shared(const struct claims *claims, uint32_t number)
{
    return is_kept(claims, claims_newest(claims) - number) &&
           claims->sharers[number % CLAIMS_KEPT] > 0;
}

bool claims_is_unclear(const struct claims *claims, uint32_t number)
{
    return claims_is_shared(claims, number) && (claims->heard >> number % CLAIMS_KEPT & 1) != 0;
}

bool claims_has_begun(const struct claims *claims, uint32_t number, uint32_t token)
{
    return is_kept(claims, claims_newest(claims) - number) &&
           claims->tokens[number % CLAIMS_KEPT] == token;
}

bool claims_is_newest(const struct claims *claims, uint32_t token)
{
    return claims->begun > 0 && claims->tokens[claims_newest(claims) % CLAIMS_KEPT] == token;
}

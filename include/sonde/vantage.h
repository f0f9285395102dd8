/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vantage: where it is looked from. It has the sockets, the clock, the names, and how often each
 * router around may be asked; runs (sonde/run.h) are made on it, several at once.
 *
 *     sonde_vantage_new()        opens the sockets: the only call that needs privilege
 *     sonde_run_new(), …         runs, as many as there are to be
 *     sonde_vantage_step()       does what is due, in a loop with
 *     sonde_vantage_wait()       which waits until something is
 *     sonde_vantage_free()
 *
 * Nothing calls back into the program, nothing blocks but sonde_vantage_wait(), and nothing is
 * printed. A program with a loop of its own waits by itself: for one of the descriptors of
 * sonde_vantage_fds(), or until sonde_vantage_timeout_ns() is up. A vantage, its runs and what they
 * return belong to one thread at a time; different vantages share nothing.
 */
#ifndef SONDE_VANTAGE_H
#define SONDE_VANTAGE_H

#include <poll.h>
#include <sonde/options.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SONDE_ERROR_BYTES = 256,
    SONDE_FDS_MAX = 64, /**< descriptors that a vantage waits for, at most */
};

/** Why a call failed, in words. */
struct sonde_error {
    char text[SONDE_ERROR_BYTES]; /**< one line without newline; safe to print */
};

struct sonde_vantage;

/**
 * Open a vantage.
 * @param options       Copied; its strings need not live on.
 * @param simulation    The network to look at in place of the real one; likewise. NULL = none.
 * @param ret_vantage   On 0, the vantage.
 * @param reterr_error  On failure, why; may be NULL.
 * @return 0; -EPERM: no socket at all is permitted; -EINVAL: an option or the scenario is wrong;
 *         -ENODEV: no such interface; -EADDRINUSE, -EACCES: the source port, or a mark, cannot be
 *         had; -ENOMEM; another negative errno: the system refuses a socket.
 * Ownership: the caller frees it with sonde_vantage_free().
 */
SONDE_API SONDE_MUST_CHECK int sonde_vantage_new(const struct sonde_vantage_options *options,
                                                 const struct sonde_simulation *simulation,
                                                 struct sonde_vantage **ret_vantage,
                                                 struct sonde_error *reterr_error);

/** Free a vantage and its runs, whatever they are doing; NULL is fine. @return NULL. */
SONDE_API struct sonde_vantage *sonde_vantage_free(struct sonde_vantage *vantage);

/**
 * Do what is due: take what has arrived, give up what is overdue, send. Does not block.
 * @return 0; a negative errno: the network cannot be used any more, and no run can go on. What was
 *         measured until then can still be asked for.
 */
SONDE_API SONDE_MUST_CHECK int sonde_vantage_step(struct sonde_vantage *vantage);

/** @return How long until the next step has to be made, if none of the descriptors becomes ready:
 *  at least 0; SONDE_NS_NEVER: there is nothing to do. Not in virtual time. */
SONDE_API sonde_ns sonde_vantage_timeout_ns(struct sonde_vantage *vantage);

/**
 * Tell which descriptors to wait for. They may be others after each step.
 * @param fds  Receives them, with the events to wait for.
 * @param cap  How many there is place for; SONDE_FDS_MAX always suffices.
 * @return How many there are, more than @p cap if not all had place.
 */
SONDE_API size_t sonde_vantage_fds(struct sonde_vantage *vantage, struct pollfd *fds, size_t cap);

/**
 * Wait until a step has something to do, or a signal comes.
 * @param max_wait_ns  At most so long; SONDE_NS_NEVER: however long it takes.
 * @return As sonde_vantage_step().
 */
SONDE_API SONDE_MUST_CHECK int sonde_vantage_wait(struct sonde_vantage *vantage,
                                                  sonde_ns max_wait_ns);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/core/: unknown names in queries, bodies and conditional headers. Each service refuses
 * them with its own message, or is known to ignore them. */
#pragma once

#include "api/openstack/core/list.h"

/* Words for a member of a body that no row has; "{name}" stands for the name. */
const char *os_unknown_member_words(enum os_service service);
/* ERR_UNKNOWN in these words. */
RESULT os_fail_unknown_member(struct os_call *e, struct str name);
/* A list's query: ERR_UNKNOWN if the list reads no such name and the service refuses those. */
RESULT os_check_list_name(struct os_call *e, const struct os_listing *list, struct str name);
/* True if the listing reads the name as a filter or as a member of its rows, at the call's microversion. */
bool os_list_reads(const struct os_call *e, const struct os_listing *list, struct str name);
/* Writes for `dari dump` the first microversion in which the action refuses unknown names in its query (null: never), and the source that
 * proves that earlier ones ignore such names. */
void os_dump_unknown(struct json_writer *w, enum os_service service, const struct os_action *action);
/* Checks the names in the query of an action without a list, like os_check_list_name(). */
RESULT os_check_query_names(struct os_call *e);

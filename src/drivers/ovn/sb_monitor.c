/* SPDX-License-Identifier: Apache-2.0
 * Results of health checks in OVN's southbound database. */
#include "drivers/ovn/sb_monitor.h"

#include <string.h>

json_t *sb_monitor_ask(void)
{
	return json_pack("[{s:s,s:s,s:[[s,s,s]],s:[s,s,s,s]}]", "op", "select", "table", "Service_Monitor",
			 "where", "protocol", "==", "tcp", "columns", "ip", "port", "logical_port", "status");
}

/* An optional column without a value is ["set", []]. */
static const char *text_of(const json_t *row, const char *column)
{
	const char *text = json_string_value(json_object_get(row, column));
	return text ? text : "";
}

static void note(const json_t *row, struct network_probe *probe)
{
	char port[UUID_TEXT_SIZE], ip[IP_TEXT_SIZE];
	const char *status = text_of(row, "status");
	if (json_integer_value(json_object_get(row, "port")) != probe->number ||
	    strcmp(text_of(row, "logical_port"), uuid_write(probe->port, port)) != 0 ||
	    strcmp(text_of(row, "ip"), ip_write(probe->ip, ip)) != 0)
		return;
	if (strcmp(status, "online") == 0)
		probe->result = NETWORK_PROBE_UP;
	else if (*status)
		probe->result = NETWORK_PROBE_DOWN;
}

void sb_monitor_read(const json_t *results, struct network_probe *probes, size_t count)
{
	const json_t *rows = json_object_get(json_array_get(results, 0), "rows");
	for (size_t k = 0; k < json_array_size(rows); k++)
		for (size_t n = 0; n < count; n++)
			note(json_array_get(rows, k), &probes[n]);
}

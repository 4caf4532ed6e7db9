/* SPDX-License-Identifier: Apache-2.0
 * Bindings of ports in OVN's southbound database. */
#include "drivers/ovn/sb_binding.h"

#include <string.h>

json_t *sb_binding_ask(uuid port, struct str chassis)
{
	char name[UUID_TEXT_SIZE];
	return json_pack("[{s:s,s:s,s:[[s,s,s]]},{s:s,s:s,s:[[s,s,s%]],s:[s]}]", "op", "select", "table",
			 "Port_Binding", "where", "logical_port", "==", uuid_write(port, name), "op",
			 "select", "table", "Chassis", "where", "name", "==", chassis.p ? chassis.p : "",
			 chassis.n, "columns", "_uuid");
}

static const json_t *first_row(const json_t *results, size_t at)
{
	return json_array_get(json_object_get(json_array_get(results, at), "rows"), 0);
}

/* ["set", []] */
static bool is_empty_set(const json_t *value)
{
	const char *word = json_string_value(json_array_get(value, 0));
	return word && strcmp(word, "set") == 0 && json_array_size(json_array_get(value, 1)) == 0;
}

bool sb_binding_is_alone(const json_t *results)
{
	const json_t *binding = first_row(results, 0), *chassis = first_row(results, 1);
	const json_t *others = json_object_get(binding, "additional_chassis");
	const json_t *wanted = json_object_get(chassis, "_uuid");
	return wanted && json_equal(json_object_get(binding, "chassis"), wanted) &&
	       (!others || is_empty_set(others)) && json_is_true(json_object_get(binding, "up"));
}

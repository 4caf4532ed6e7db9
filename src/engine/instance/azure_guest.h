/* SPDX-License-Identifier: Apache-2.0
 * Azure's provisioning data of an instance, the reports of its guest agent, and the extensions that the agent
 * installs. The agent's protocol: api/metadata/azure_wire.c, azure_host.c. */
#pragma once

#include "engine/operation.h"
#include "model/azure_guest_words.h"
#include "model/instance_extension_words.h"

struct instance_extension;
struct azure_guest;

enum {
	AZURE_KEYS_MAX = 16,
	AZURE_NAME_MAX = 64,         /* user names, and Linux computer names */
	AZURE_WINDOWS_NAME_MAX = 15, /* Windows computer names: the limit of NetBIOS */
	AZURE_TEXT_MAX = 4096,
	AZURE_CUSTOM_DATA_MAX = 64 * 1024,
	EXTENSIONS_OF_INSTANCE_MAX = 32,
	EXTENSION_NAME_MAX = 80,
	EXTENSION_SETTINGS_MAX = 64 * 1024,
	EXTENSION_MESSAGE_MAX = 16 * 1024, /* longer messages are truncated */
};

/* The instance's Azure data, or NULL if there are neither settings nor reports. */
const struct azure_guest *engine_find_azure_guest(const struct tables *t, uuid instance);

/* ---- provisioning data ---- */

/* Sets the data of an instance that the caller may change. ERR_INVALID: more than AZURE_KEYS_MAX keys, keys
 * and paths differ in number, or a text is too long. */
struct azure_profile_wish {
	struct ref instance;
	struct str computer_name, admin_username;
	struct strs keys, key_paths;
	bool allows_password, lacks_agent;
	struct str custom_data; /* decoded bytes */
	/* Windows only. */
	bool manual_updates, takes_winrm;
	struct str time_zone; /* such as "Korea Standard Time"; empty: the image's */
};
OPERATION(engine_set_azure_profile, azure_profile_wish)

/* ---- extensions ---- */

/* A program (handler) that extensions can refer to. */
struct extension_program {
	const char *publisher, *type, *version;
};
/* Type of managed run commands. Types of the form RunCommandHandlerLinux_<name> use the same program; each is
 * a handler of its own to the agent. */
#define EXTENSION_OF_COMMANDS "RunCommandHandlerLinux"
/* The program with that number, from 0 on; NULL ends. */
const struct extension_program *engine_get_program(size_t number);
bool engine_is_kept_command(const struct instance_extension *e);
/* Finds a program by publisher and type, ignoring case; NULL: unknown. */
const struct extension_program *engine_find_program(struct str publisher, struct str type);

/* Iterate over an instance's extensions, in no particular order, including those being removed. */
const struct instance_extension *engine_first_extension(const struct tables *t, uuid instance);
const struct instance_extension *engine_next_extension(const struct tables *t,
						       const struct instance_extension *e);
/* Finds an extension by name, ignoring case, even one being removed; NULL: unknown. */
const struct instance_extension *engine_find_extension(const struct tables *t, uuid instance,
						       struct str name);

/* Creates an extension, or replaces its settings. The instance must have the personality azure. Identical
 * settings are a no-op, unless `again`. ERR_STATE with KIND_INSTANCE: not running, or another personality.
 * With KIND_INSTANCE_EXTENSION: ERR_NOT_FOUND, no such program; ERR_EXISTS, another extension of the instance
 * uses the program; ERR_QUOTA; ERR_INVALID, a text is too long. */
struct extension_wish {
	struct ref instance;
	const char *permission; /* NULL: "instance_extension.set" */
	struct str name, publisher, type, version;
	bool auto_upgrade, again;
	struct str settings;           /* JSON */
	struct str protected_settings; /* sealed JSON; empty: none */
	struct str key,
		certificate; /* key pair to encrypt protected settings to if the guest has none yet: sealed
			      * PEM, DER */
	/* outputs: */
	uuid extension;
	bool is_new;
};
OPERATION(engine_set_extension, extension_wish)

/* Asks the guest to remove an extension. The row goes once the agent reports that, or at once if the agent
 * never reported the program. ERR_NOT_FOUND. ERR_STATE as for engine_set_extension(). */
struct extension_target {
	struct ref instance;
	struct str name;
	/* outputs: */
	uuid extension;
};
OPERATION(engine_delete_extension, extension_target)

/* True if the program has finished with the latest settings, successfully or not. */
bool engine_extension_has_ended(const struct instance_extension *e);

/* ---- reports of guests; ERR_GONE if the instance is gone ---- */

struct azure_health_report {
	uuid instance;
	enum azure_guest_health health;
	struct str text;
};
SYSTEM_OPERATION(engine_report_azure_health, azure_health_report)

struct extension_report {
	struct str handler; /* publisher and type, such as "Dari.RunCommand" */
	struct str handler_version, handler_state, handler_message;
	bool has_status;
	int64_t sequence, code;
	enum instance_extension_status status;
	struct str message;
};
struct azure_status_report {
	uuid instance;
	struct str agent_version, agent_state, os_name, os_version;
	const struct extension_report *extensions;
	size_t extension_count;
};
/* True if the report contains anything new. Callers skip the change otherwise, because agents report
 * often. */
bool engine_is_azure_status_new(const struct tables *t, const struct azure_status_report *report);
SYSTEM_OPERATION(engine_report_azure_status, azure_status_report)

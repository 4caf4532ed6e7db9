/* SPDX-License-Identifier: Apache-2.0
 * osProfile of a virtual machine: administrator, computer name and custom data. Source: Azure REST API
 * reference, "Virtual Machines", 2022-08-01.
 */
#include "api/azure/compute/compute.h"

#include "api/core/guest_password.h"
#include "base/crypto.h"
#include "engine/instance/instance.h"
#include "store/key_pair.h"

/* ---- what a body says ---- */

static const struct param public_key_rows[] = {
	PARAM(struct az_public_key, "path", path, .doc = "Path of the key in the guest."),
	PARAM(struct az_public_key, "keyData", line, .max = 16384, .doc = "Public key in OpenSSH format."),
};
static const struct params public_key_params =
	PARAMS(struct az_public_key, public_key_rows, .object = "SshPublicKey");
static const struct param ssh_rows[] = {
	PARAM_LIST(struct az_ssh, "publicKeys", keys, public_key_params, .max = 1,
		   .doc = "SSH public keys; at most one."),
};
static const struct params ssh_params = PARAMS(struct az_ssh, ssh_rows, .object = "SshConfiguration");
static const struct param linux_rows[] = {
	PARAM(struct az_linux_os, "disablePasswordAuthentication", disables_password,
	      .doc = "Disables password authentication; requires a public key."),
	PARAM(struct az_linux_os, "provisionVMAgent", has_agent,
	      .doc = "Whether the guest installs an agent."),
	PARAM_OBJECT(struct az_linux_os, "ssh", ssh, ssh_params, .doc = "SSH keys of the administrator."),
	NOT_BUILT("patchSettings|enableVMAgentPlatformUpdates"),
};
const struct params az_linux_os_params =
	PARAMS(struct az_linux_os, linux_rows, .object = "LinuxConfiguration");
static const struct param listener_rows[] = {
	PARAM(struct az_listener, "protocol", protocol, .flags = REQUIRED, .words = "Http",
	      .doc = "Protocol; only Http, because there is no vault for the certificate of Https."),
	NOT_BUILT("certificateUrl"),
};
static const struct params listener_params =
	PARAMS(struct az_listener, listener_rows, .object = "WinRMListener");
static const struct param winrm_rows[] = {
	PARAM_LIST(struct az_winrm, "listeners", listeners, listener_params, .max = 1,
		   .doc = "WinRM listeners; at most one."),
};
static const struct params winrm_params = PARAMS(struct az_winrm, winrm_rows, .object = "WinRMConfiguration");
static const struct param windows_rows[] = {
	PARAM(struct az_windows_os, "provisionVMAgent", has_agent,
	      .doc = "Whether the guest installs an agent."),
	PARAM(struct az_windows_os, "enableAutomaticUpdates", updates,
	      .doc = "Whether Windows installs updates automatically."),
	PARAM(struct az_windows_os, "timeZone", time_zone, .max = 64,
	      .doc = "Time zone by its Windows name."),
	PARAM_OBJECT(struct az_windows_os, "winRM", winrm, winrm_params,
		     .doc = "WinRM listeners for remote management."),
	NOT_BUILT("additionalUnattendContent", .only = "[]"),
	NOT_BUILT("patchSettings"),
	AZ_READ_ONLY("enableVMAgentPlatformUpdates"),
};
const struct params az_windows_os_params =
	PARAMS(struct az_windows_os, windows_rows, .object = "WindowsConfiguration");
static const struct param os_rows[] = {
	PARAM(struct az_os_profile, "allowExtensionOperations", allows_extensions,
	      .doc = "Must be the present value: true if the guest has an administrator."),
	PARAM(struct az_os_profile, "computerName", computer_name, .max = 64,
	      .doc = "Host name of the guest."),
	PARAM(struct az_os_profile, "adminUsername", admin, .max = 64, .doc = "Name of the administrator."),
	PARAM(struct az_os_profile, "adminPassword", password, .max = 123,
	      .doc = "Password of the administrator."),
	PARAM(struct az_os_profile, "customData", custom_data, .flags = BASE64, .max = INSTANCE_USER_DATA_MAX,
	      .doc = "Custom data for the first boot, base64."),
	PARAM_OBJECT(struct az_os_profile, "linuxConfiguration", linux_os, az_linux_os_params,
		     .doc = "Settings of a Linux guest."),
	PARAM_OBJECT(struct az_os_profile, "windowsConfiguration", windows, az_windows_os_params,
		     .doc = "Settings of a Windows guest."),
	NOT_BUILT("secrets"),
	NOT_BUILT("requireGuestProvisionSignal", .only = "true"),
};
const struct params az_os_profile_params = PARAMS(struct az_os_profile, os_rows, .object = "OSProfile");

/* ---- osProfile to launch ---- */

/* Makes a bare public key a key pair that is named by its fingerprint. */
static RESULT take_key(struct az_call *e, const struct az_os_profile *os, struct instance_launch *launch,
		       struct az_guest_wish *wish)
{
	static const char field[] = "properties.osProfile.linuxConfiguration.ssh.publicKeys.keyData";
	const struct az_public_keys *keys = &os->linux_os.ssh.keys;
	struct str name = STR("azure-"), print, part;
	if (!keys->count)
		return OK;
	if (!result_is_ok(crypto_check_public_key(e->c, keys->at[0].line, &wish->key.public_key,
						  &wish->key.fingerprint, &wish->key.is_ed25519))) {
		ctx_clear_problem(e->c);
		return az_fail(
			e, field,
			"The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.");
	}
	print = wish->key.fingerprint;
	while (str_split_next(&print, ':', &part))
		name = str_print(e->c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(name), STR_ARG(part));
	wish->key.name = name;
	wish->needs_key = !key_pair_find_by_account(az_tables(e), e->c->who->account, name);
	launch->key_pair = (struct ref){.kind = KIND_KEY_PAIR, .text = name, .field = str_from(field)};
	return OK;
}

/* Checks limits of Windows names and passwords. Codes, targets and texts are from recorded answers
 * (azure-quickstart-templates #13440, azure-cli #228). */
static RESULT check_windows(struct az_call *e, const struct az_os_profile *os, struct str name)
{
	static const char not_in_names[] = "`~!@#$%^&*()=+_[]{}\\|;:.'\",<>/? ";
	bool is_number = name.n > 0, is_good = name.n <= AZURE_WINDOWS_NAME_MAX;
	for (size_t k = 0; k < name.n; k++) {
		is_good &= !strchr(not_in_names, name.p[k]);
		is_number &= name.p[k] >= '0' && name.p[k] <= '9';
	}
	if (!is_good || is_number)
		return az_fail(e, "computerName",
			       "Windows computer name cannot be more than 15 characters long, be entirely "
			       "numeric, or contain the following characters: ` ~ ! @ # $ %% ^ & * ( ) = + _ "
			       "[ ] { } \\ | ; : . ' \" , < > / ?.");
	if (!os->password.n)
		return ctx_fail_field(e->c, ERR_MISSING, STR("adminPassword"),
				      "Required parameter 'adminPassword' is missing (null).");
	return OK;
}

/* Turns the profile into user data, from which the guest creates the administrator and detects Azure. */
static RESULT take_profile(struct az_call *e, const struct az_os_profile *os, struct str name,
			   struct az_guest_wish *wish)
{
	size_t count = os->linux_os.ssh.keys.count;
	struct str *keys = arena_new_array(e->c->arena, struct str, 2 * count + 1);
	if (!keys)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < count; k++) {
		keys[k] = wish->key.public_key;
		keys[count + k] = os->linux_os.ssh.keys.at[k].path;
	}
	wish->profile = (struct azure_profile_wish){
		.computer_name = name,
		.admin_username = os->admin,
		.keys = {keys, count},
		.key_paths = {keys + count, count},
		.allows_password = os->linux_os.disables_password != CHOICE_YES,
		.custom_data = os->custom_data,
		.lacks_agent = os->windows.has_agent == CHOICE_NO || os->linux_os.has_agent == CHOICE_NO,
		.manual_updates = os->windows.updates == CHOICE_NO,
		.time_zone = os->windows.time_zone,
		.takes_winrm = os->windows.winrm.listeners.count > 0};
	return OK;
}

RESULT az_take_os_profile(struct az_call *e, const struct az_os_profile *os, struct str machine,
			  bool is_windows, struct instance_launch *launch, struct az_guest_wish *ret_wish)
{
	struct str name = os->computer_name.n ? os->computer_name : machine;
	struct az_guest_wish wish = {.has_profile = os->admin.n};
	if (wish.has_profile && is_windows)
		TRY(check_windows(e, os, name));
	TRY(take_key(e, os, launch, &wish));
	TRY(take_profile(e, os, name, &wish));
	if (wish.has_profile) {
		launch->personality_choice = CHOICE_YES;
		launch->personality = INSTANCE_PERSONALITY_AZURE;
	}
	*ret_wish = wish;
	if (!os->password.n)
		return OK;
	if (os->password_is_sealed) {
		launch->admin_password = os->password;
		return OK;
	}
	az_audit(e);
	return api_seal_guest_password(&e->core, e->c->who->account, os->password, &launch->admin_password);
}

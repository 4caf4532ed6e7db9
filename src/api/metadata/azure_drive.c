/* SPDX-License-Identifier: Apache-2.0
 * The provisioning disc of a guest of the personality azure, with its settings and the password, which no service
 * shows. cloudbase-init finds the disc by a file's name, cloud-init by ovf-env.xml, and Windows Setup reads
 * Unattend.xml at the root of a read-only drive in its passes specialize and oobeSystem. Sources: what cloud-init
 * 22.4, waagent 2.7 and cloudbase-init 1.1 read; Microsoft's "Windows Setup: implicit answer file search order" and
 * "Unattended Windows Setup Reference". */
#include "api/metadata/azure.h"
#include "base/xml.h"
#include "model/azure_guest.h"
#include "model/instance.h"

/* Azure's discs are called rd_rdfe_…; cloud-init's ds-identify looks for that prefix. */
#define LABEL "rd_rdfe_dari"
#define TAG_FILE "E6DA6616-8EC4-48E0-BE93-58CE6ACE3CFB.tag"
#define OVF_NS "http://schemas.dmtf.org/ovf/environment/1"
#define AZURE_NS "http://schemas.microsoft.com/windowsazure"
#define UNATTEND_NS "urn:schemas-microsoft-com:unattend"
enum { FILES_MAX = 4 };

static bool is_windows(const struct imds_facts *s)
{
	return s->instance->platform == INSTANCE_PLATFORM_WINDOWS;
}

static struct str custom_data_of(const struct imds_facts *s)
{
	return s->azure && s->azure->custom_data.n ? s->azure->custom_data : s->instance->user_data;
}

/* ---- ovf-env.xml ---- */

static void write_windows(const struct imds_facts *s, struct xml *x)
{
	const struct azure_guest *g = s->azure;
	xml_open_ns(x, "WindowsProvisioningConfigurationSet", STR(AZURE_NS));
	xml_z(x, "ConfigurationSetType", "WindowsProvisioningConfiguration");
	xml_text(x, "ComputerName", azure_computer_name(s));
	xml_text(x, "AdminUsername", azure_user_name(s));
	xml_text(x, "AdminPassword", s->admin_password);
	xml_bool(x, "ResetPasswordOnFirstLogon", false);
	xml_bool(x, "EnableAutomaticUpdates", !(g && g->manual_updates));
	if (g)
		xml_text_opt(x, "TimeZone", g->time_zone);
	if (g && g->takes_winrm) {
		xml_open(x, "WinRM");
		xml_open(x, "Listeners");
		xml_open(x, "Listener");
		xml_z(x, "Protocol", "Http");
		xml_close(x, "Listener");
		xml_close(x, "Listeners");
		xml_close(x, "WinRM");
	}
	xml_text_opt(x, "CustomData", str_encode_base64(s->arena, custom_data_of(s)));
	xml_close(x, "WindowsProvisioningConfigurationSet");
}

/* SSH keys are left to the metadata service. */
static void write_linux(const struct imds_facts *s, struct xml *x)
{
	xml_open_ns(x, "LinuxProvisioningConfigurationSet", STR(AZURE_NS));
	xml_z(x, "ConfigurationSetType", "LinuxProvisioningConfiguration");
	xml_text(x, "HostName", azure_computer_name(s));
	xml_text(x, "UserName", azure_user_name(s));
	xml_text_opt(x, "UserPassword", s->admin_password);
	xml_bool(x, "DisableSshPasswordAuthentication", !(s->azure && s->azure->allows_password));
	xml_text_opt(x, "CustomData", str_encode_base64(s->arena, custom_data_of(s)));
	xml_close(x, "LinuxProvisioningConfigurationSet");
}

static void write_platform(const struct imds_facts *s, struct xml *x)
{
	xml_open(x, "wa:PlatformSettingsSection");
	xml_z(x, "wa:Version", "1.0");
	xml_open_ns(x, "PlatformSettings", STR(AZURE_NS));
	xml_bool(x, "ProvisionGuestAgent", !(s->azure && s->azure->lacks_agent));
	xml_close(x, "PlatformSettings");
	xml_close(x, "wa:PlatformSettingsSection");
}

/* Written by hand, because the XML writer has no attributes. */
static void write_environment(const struct imds_facts *s, struct xml *x)
{
	buf_print(x->out, "<Environment xmlns=\"" OVF_NS "\" xmlns:wa=\"" AZURE_NS "\">");
	xml_open(x, "wa:ProvisioningSection");
	xml_z(x, "wa:Version", "1.0");
	(is_windows(s) ? write_windows : write_linux)(s, x);
	xml_close(x, "wa:ProvisioningSection");
	write_platform(s, x);
	buf_print(x->out, "</Environment>");
}

/* ---- Unattend.xml ---- */

/* Both passes have one component of the same name. */
static void open_pass(struct xml *x, const char *pass)
{
	buf_print(x->out,
		  "<settings pass=\"%s\"><component name=\"Microsoft-Windows-Shell-Setup\" "
		  "processorArchitecture=\"amd64\" publicKeyToken=\"31bf3856ad364e35\" language=\"neutral\" "
		  "versionScope=\"nonSxS\">",
		  pass);
}

static void close_pass(struct xml *x)
{
	buf_print(x->out, "</component></settings>");
}

static void write_plain_password(struct xml *x, const char *name, struct str password)
{
	xml_open(x, name);
	xml_text(x, "Value", password);
	xml_bool(x, "PlainText", true);
	xml_close(x, name);
}

/* Creates the administrator, unless it is Windows' built-in one. */
static void write_accounts(const struct imds_facts *s, struct xml *x)
{
	struct str user = azure_user_name(s);
	xml_open(x, "UserAccounts");
	if (str_equal_nocase(user, STR("Administrator"))) {
		write_plain_password(x, "AdministratorPassword", s->admin_password);
	} else {
		xml_open(x, "LocalAccounts");
		buf_print(x->out, "<LocalAccount wcm:action=\"add\">");
		write_plain_password(x, "Password", s->admin_password);
		xml_z(x, "Group", "Administrators");
		xml_text(x, "Name", user);
		buf_print(x->out, "</LocalAccount>");
		xml_close(x, "LocalAccounts");
	}
	xml_close(x, "UserAccounts");
}

static void write_first_look(struct xml *x)
{
	xml_open(x, "OOBE");
	xml_bool(x, "HideEULAPage", true);
	xml_bool(x, "HideOnlineAccountScreens", true);
	xml_bool(x, "HideWirelessSetupInOOBE", true);
	xml_int(x, "ProtectYourPC", 3); /* sends nothing to Microsoft; updates are configured elsewhere */
	xml_close(x, "OOBE");
}

static void write_unattend(const struct imds_facts *s, struct xml *x)
{
	buf_print(x->out, "<unattend xmlns=\"" UNATTEND_NS
			  "\" xmlns:wcm=\"http://schemas.microsoft.com/WMIConfig/2002/State\">");
	open_pass(x, "specialize");
	xml_text(x, "ComputerName", azure_computer_name(s));
	close_pass(x);
	open_pass(x, "oobeSystem");
	write_first_look(x);
	if (s->azure)
		xml_text_opt(x, "TimeZone", s->azure->time_zone);
	if (s->admin_password.n)
		write_accounts(s, x);
	close_pass(x);
	buf_print(x->out, "</unattend>");
}

/* ---- the disc ---- */

typedef void write_document(const struct imds_facts *s, struct xml *x);

static RESULT add_document(const struct imds_facts *s, const char *path, write_document *write,
			   struct compute_file *ret_file)
{
	struct buf b;
	struct xml x;
	buf_init(&b, BUF_ANSWER_CAP);
	xml_begin(&x, &b);
	write(s, &x);
	struct result result = xml_end(&x);
	*ret_file = (struct compute_file){str_from(path), str_copy(s->arena, buf_str(&b))};
	buf_done(&b);
	return result;
}

RESULT azure_list_drive(const struct imds_facts *s, struct compute_files *ret_files)
{
	struct str custom_data = custom_data_of(s);
	struct compute_file *at = arena_new_array(s->arena, struct compute_file, FILES_MAX);
	size_t count = 0;
	if (!at)
		return FAIL(NO_MEMORY);
	TRY(add_document(s, "ovf-env.xml", write_environment, &at[count++]));
	at[count++] = (struct compute_file){STR(TAG_FILE), STR(TAG_FILE)};
	if (is_windows(s))
		TRY(add_document(s, "Unattend.xml", write_unattend, &at[count++]));
	if (is_windows(s) && custom_data.n)
		at[count++] = (struct compute_file){STR("CustomData.bin"), custom_data};
	*ret_files = (struct compute_files){at, count, STR(LABEL)};
	return arena_is_full(s->arena) ? FAIL(NO_MEMORY) : OK;
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154 # what the caller assigns in lines that it puts before this
# Makes a machine a host, step by step, and takes back what it did. `dari host add` sends it to a shell on the host.
#
# Before it stand, as assignments: mode (plan, apply, plan-undo, undo), only (steps, or empty for all), region, control
# (dari's name in its certificate), renew, name, address, pool, remote, uplink, physical_network, underlay, ca,
# libvirt_certificate, qemu_certificate (PEM, or empty), flows (where IPFIX is sent to, or empty), sample_set.
#
# A step is check_STEP (sets $found; 0: fine, 1: to be done, 2: worth knowing, 3: nothing here mends it) and
# apply_STEP, whose changes go through run(), put_file(), put_block() and the like. In a plan these only tell what they
# would do. Before a change they note in the marker file what was there, so that the notes, read backwards, take back
# what was done, whenever it was cut off. Everything is functions: a script that arrives in part does nothing.
#
# Prints lines of fields with tabs between: dari-host, what (ok, note, wrong, would, changed, command, fact, request, end), the
# step, what was found.

# ---- telling

one_line() { tr '\n\t' '  ' | sed 's/ *$//'; }
say() { printf 'dari-host\t%s\t%s\t%s\n' "$1" "$2" "$(printf %s "$3" | one_line)" || exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
is_plan() { case $mode in plan*) ;; *) false ;; esac; }

quoted() {
	for word; do
		case $word in
		'' | *[!A-Za-z0-9_./:=,@%+-]*) printf "'%s' " "$word" ;;
		*) printf '%s ' "$word" ;;
		esac
	done
}

# A change. $why: what it said, where it failed. 9 is the lock, which no daemon may keep.
run() {
	if is_plan; then
		say command "$step" "$(quoted "$@")"
		return 0
	fi
	"$@" >"$work/said" 2>&1 9>&- && return 0
	why="$(quoted "$@")failed: $(tail -n 5 "$work/said")"
	return 1
}

# ---- the marker: a line of YAML for each change, KEY: 'what was there'

value_of() { [ ! -e "$marker" ] || awk -v k="$1: " 'index($0, k) == 1 { print substr($0, length(k) + 1) }' "$marker" |
	sed "s/^'//; s/'\$//; s/''/'/g"; }
noted() { [ -e "$marker" ] && awk -v k="$1: " 'index($0, k) == 1 { f = 1 } END { exit !f }' "$marker"; }

rewrite_marker() { # with what comes on standard input; whole, whenever the host is switched off
	cat >"$marker.new" && sync "$marker.new" && mv "$marker.new" "$marker"
}
forget() { awk -v k="$1: " 'index($0, k) != 1' "$marker" >"$work/marker" && rewrite_marker <"$work/marker"; }
write_note() { printf "%s: '%s'\n" "$1" "$(printf %s "$2" | sed "s/'/''/g")"; }
note() { # note KEY VALUE: the first value stays
	if is_plan || noted "$1"; then return 0; fi
	{ cat "$marker" && write_note "$1" "$2"; } >"$work/marker" && rewrite_marker <"$work/marker"
}
note_again() { # the last value counts
	is_plan && return 0
	{ awk -v k="$1: " 'index($0, k) != 1' "$marker" && write_note "$1" "$2"; } >"$work/marker" &&
		rewrite_marker <"$work/marker"
}

# ---- changes that --undo reverts

make_directory() { # make_directory PATH MODE, with its parents
	[ -d "$at$1" ] && return 0
	case " ${planned:-} " in *" $1 "*) return 0 ;; esac
	! is_plan || planned="${planned:-} $1" # a plan names each directory once
	make_directory "$(dirname "$1")" 755 || return 1
	note "directory $1" made && run mkdir -m "$2" "$at$1"
}

keep() { # before PATH is changed as a whole
	if is_plan || noted "file $1"; then return 0; fi
	[ -e "$at$1" ] || { note "file $1" absent; return; }
	run cp -p "$at$1" "$at$1.dari-new" && run mv "$at$1.dari-new" "$at$1.dari-before" && note "file $1" kept
}
put_file() { # put_file PATH MODE GROUP TEXT
	make_directory "$(dirname "$1")" 755 && keep "$1" || return 1
	if is_plan; then
		say command "$step" "write $1, mode $2"
		return 0
	fi
	(umask 077 && printf '%s\n' "$4" >"$at$1.dari-new") && run chmod "$2" "$at$1.dari-new" &&
		run chgrp "$3" "$at$1.dari-new" && sync "$at$1.dari-new" && run mv "$at$1.dari-new" "$at$1"
}

begin='# ---- from here: dari host add; dari host remove --undo takes it away'
end='# ---- to here: dari'
block_of() { [ ! -e "$at$1" ] || sed -n "/^$begin\$/,/^$end\$/p" "$at$1" | sed '1d;$d'; }
without_block() { [ ! -e "$at$1" ] || sed "/^$begin\$/,/^$end\$/d" "$at$1"; }
write_back() { # write_back FILE: standard input becomes its content; owner and mode stay
	if [ -e "$at$1" ]; then cp -p "$at$1" "$at$1.dari-new"; else : >"$at$1.dari-new"; fi &&
		cat >"$at$1.dari-new" && sync "$at$1.dari-new" && mv "$at$1.dari-new" "$at$1"
}
put_block() { # put_block FILE TEXT: at its top, because libvirt takes the first line for a name
	if is_plan; then
		printf '%s\n' "$2" | while read -r line; do say command "$step" "in $1: $line"; done
		return 0
	fi
	if [ -e "$at$1" ]; then note "block $1" added; else note "block $1" made; fi &&
		{ printf '%s\n%s\n%s\n' "$begin" "$2" "$end" && without_block "$1"; } >"$work/block" &&
		write_back "$1" <"$work/block"
}

unit_state() { # "enabled active"
	echo "$(systemctl is-enabled "$1" 2>/dev/null | head -n 1) $(systemctl is-active "$1" 2>/dev/null | head -n 1)"
}
enable_unit() { note "unit $1" "$(unit_state "$1")" && run systemctl enable "$1" && run systemctl start "$1"; }

ovs() { ovs-vsctl --timeout=10 "$@"; }
is_ovs_there() { have ovs-vsctl && ovs show >/dev/null 2>&1; }
external_id() { ovs --if-exists get Open_vSwitch . "external_ids:$1" 2>/dev/null | sed 's/^"//; s/"$//'; }
set_external_id() {
	[ "$(external_id "$1")" = "$2" ] && return 0
	before=$(external_id "$1")
	note "ovs $1" "${before:+was $before}" && note_again "ovs-set $1" "$2" &&
		run ovs-vsctl --timeout=10 --no-wait set Open_vSwitch . "external_ids:$1=\"$2\""
}

# ---- time

check_time() {
	synchronized=$(timedatectl show --property=NTPSynchronized --value 2>/dev/null)
	for service in chrony chronyd systemd-timesyncd ntpsec ntp; do
		if systemctl is-active --quiet "$service" 2>/dev/null; then
			found="$service runs; synchronized: ${synchronized:-unknown}"
			return 0
		fi
	done
	found="no time service; synchronized: ${synchronized:-unknown}"
	[ "$synchronized" = yes ]
}
apply_time() {
	install_packages chrony && enable_unit "$(case $family in rhel) echo chronyd ;; *) echo chrony ;; esac).service"
}

# ---- packages

installed_packages() { case $family in
	rhel) rpm -qa --queryformat '%{NAME}\n' ;;
	*) dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' ;;
	esac | sort -u; }

lacking_packages() {
	installed_packages >"$work/installed"
	for package; do grep -qxF "$package" "$work/installed" || echo "$package"; done
}
has_candidate() { apt-cache policy "$1" 2>/dev/null | grep -q '^  Candidate: [^(]'; }

apt() { DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold "$@"; }
apt_with() { run env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold "$@"; }

note_packages() { # those that come with NAME…: all, not only these
	is_plan && return 0
	new=$(case $family in
		rhel) for package; do echo "$package"; done ;;
		*) apt -s --no-install-recommends install "$@" | sed -n 's/^Inst \([^ ]*\).*/\1/p' ;;
		esac | tr '\n' ' ')
	note_again packages "$(echo "$(value_of packages) $new" | tr -s ' ' '\n' | sort -u | tr '\n' ' ' | sed 's/^ *//; s/ *$//')"
}
install_packages() {
	if [ "$family" = rhel ]; then
		note_packages "$@" && run dnf -y install "$@"
	else
		run dpkg --configure -a && apt_with update && note_packages "$@" && apt_with --no-install-recommends install "$@"
	fi
}

# Packages that dari-host depends on, by the distribution's names.
needed_packages() { case $family in
	rhel) echo libvirt-daemon-kvm qemu-kvm edk2-ovmf swtpm swtpm-tools iproute openssl ;;
	*) echo iproute2 libvirt-clients libvirt-daemon-driver-qemu libvirt-daemon-system openssl openvswitch-switch ovmf \
		ovn-host qemu-system-x86 qemu-utils seabios swtpm swtpm-tools ;;
	esac; }

check_packages() {
	if [ "$family" = rhel ] && ! have ovn-appctl; then
		found="Open vSwitch and OVN are not there, and not in $system's own repositories: install openvswitch and ovn-host from the CentOS NFV SIG's, then run this again"
		return 3
	fi
	# shellcheck disable=SC2046 # a word for each package
	lacking=$(lacking_packages $(needed_packages) | tr '\n' ' ')
	found=${lacking:+lacks $lacking}
	found=${found:-all of them}
	[ -z "$lacking" ]
}
apply_packages() {
	[ "$family" = rhel ] || ! has_candidate dari-host || lacking=dari-host
	# shellcheck disable=SC2086 # likewise
	install_packages $lacking
}

# ---- where disks lie; the service that would stop guests

check_pool() {
	found=$pool
	[ -d "$at$pool" ] && return 0
	found="no directory $pool"
	return 1
}
apply_pool() { make_directory "$pool" 711; }

check_guests() {
	if [ -e "$at/lib/systemd/system/libvirt-guests.service.d/libvirt-guests.conf" ] ||
		[ -e "$at/usr/lib/systemd/system/libvirt-guests.service.d/libvirt-guests.conf" ]; then
		found="libvirt-guests is held back by dari-host"
		return 0
	fi
	found="libvirt-guests: $(unit_state libvirt-guests.service)"
	case $found in *': enabled'*) return 1 ;; esac
}
# Not stopped: that would stop guests.
apply_guests() { note "unit libvirt-guests.service" "$(unit_state libvirt-guests.service)" && run systemctl disable libvirt-guests.service; }

# ---- certificates; the keys are made here and never leave

server_key=/etc/pki/libvirt/private/serverkey.pem
server_certificate=/etc/pki/libvirt/servercert.pem
ca_certificate=/etc/pki/CA/cacert.pem
qemu_pki=/etc/pki/qemu
renew_before_s=2592000 # 30 days: a third of a leaf's life

public_key() { openssl pkey -in "$at$1" -pubout 2>/dev/null; }
is_good() { # is_good CERTIFICATE KEY
	[ -e "$at$1" ] || { found="no $1"; return 1; }
	openssl verify -CAfile "$work/ca" "$at$1" >/dev/null 2>&1 || { found="$1 is not of this region"; return 1; }
	openssl x509 -in "$at$1" -noout -checkip "$address" | grep -q 'does match' || { found="$1 is not for $address"; return 1; }
	[ "$(openssl x509 -in "$at$1" -noout -pubkey)" = "$(public_key "$2")" ] || { found="$1 is not of the key beside it"; return 1; }
	openssl x509 -in "$at$1" -noout -checkend $renew_before_s >/dev/null || { found="$1 is to be renewed: $(end_of "$1")"; return 1; }
}
end_of() { openssl x509 -in "$at$1" -noout -enddate | sed 's/.*=/until /'; }
serial_of() { openssl x509 -in "$at$1" -noout -serial | sed 's/.*=//'; }
is_ca() { cmp -s "$work/ca" "$at$1"; }

check_certificates() {
	have openssl || { found="no openssl"; return 1; }
	if [ -n "$renew" ] || fits "$libvirt_certificate" $server_key || fits "$qemu_certificate" $qemu_pki/server-key.pem; then
		found="to be made anew"
		return 1
	fi
	is_good $server_certificate $server_key && is_good $qemu_pki/server-cert.pem $qemu_pki/server-key.pem &&
		is_good $qemu_pki/client-cert.pem $qemu_pki/client-key.pem || return 1
	found="$ca_certificate is not this region's"
	is_ca $ca_certificate && is_ca $qemu_pki/ca-cert.pem || return 1
	found=$(end_of $server_certificate)
}

request() { # request USE KEY: for a new key, which waits beside the old one
	make_directory "$(dirname "$2")" 755 || return 1
	if is_plan; then
		say command "$step" "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $2, signed by the region's CA"
		return 0
	fi
	note "next $2" made || return 1
	openssl pkey -in "$at$2.dari-next" -noout >/dev/null 2>&1 ||
		{ (umask 077 && run openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$at$2.dari-new") &&
			sync "$at$2.dari-new" && run mv "$at$2.dari-new" "$at$2.dari-next"; } || return 1
	run openssl req -new -key "$at$2.dari-next" -subj "/CN=$name" -outform DER -out "$work/request" || return 1
	say request "$1" "$(base64 -w 0 <"$work/request")"
	wants_certificates=1
}

fits() { # fits CERTIFICATE KEY: a new one that was signed for the key that waits
	[ -n "$1" ] && [ -e "$at$2.dari-next" ] &&
		[ "$(printf '%s\n' "$1" | openssl x509 -noout -pubkey)" = "$(public_key "$2.dari-next")" ]
}
qemu_group() { getent group kvm >/dev/null 2>&1 && echo kvm || echo 0; }

put_key() { put_file "$1" "$2" "$3" "$(cat "$at$4.dari-next" 2>/dev/null)"; }

apply_certificates() {
	noted "daemon libvirt" || note "daemon libvirt" "$libvirt"
	if ! fits "$libvirt_certificate" $server_key || ! fits "$qemu_certificate" $qemu_pki/server-key.pem; then
		request libvirt $server_key && request qemu $qemu_pki/server-key.pem || return 1
		is_plan || return 0
	fi
	group=$(qemu_group)
	put_file $ca_certificate 644 0 "$ca" && put_file $qemu_pki/ca-cert.pem 644 0 "$ca" &&
		put_file $server_certificate 644 0 "$libvirt_certificate" && put_key $server_key 600 0 $server_key &&
		put_file $qemu_pki/server-cert.pem 644 0 "$qemu_certificate" &&
		put_file $qemu_pki/client-cert.pem 644 0 "$qemu_certificate" &&
		put_key $qemu_pki/client-key.pem 640 "$group" $qemu_pki/server-key.pem &&
		put_key $qemu_pki/server-key.pem 640 "$group" $qemu_pki/server-key.pem || return 1
	if is_plan; then return 0; fi
	# SELinux judges files by labels, which a move keeps as they were.
	if have restorecon; then run restorecon -R "$at/etc/pki/libvirt" "$at/etc/pki/CA" "$at/etc/pki/qemu" || return 1; fi
	run rm -f "$at$server_key.dari-next" "$at$qemu_pki/server-key.pem.dari-next"
}

# ---- libvirt: what it listens on, and to whom

find_libvirt() { # monolithic (Debian, Ubuntu) or modular (RHEL): the daemon that speaks TLS
	libvirt=libvirtd
	if systemctl is-active --quiet virtqemud.socket 2>/dev/null && ! systemctl is-active --quiet libvirtd.socket 2>/dev/null; then
		libvirt=virtproxyd
	fi
}
with_brackets() { case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac; }

libvirt_settings() {
	cat <<END
listen_tls = 1
listen_addr = "$address"
auth_tls = "none"
tls_allowed_dn_list = ["CN=$control"]
END
}
qemu_settings() {
	cat <<END
migrate_tls_x509_cert_dir = "$qemu_pki"
migrate_tls_x509_verify = 1
END
}
socket_settings() { printf '[Socket]\nListenStream=\nListenStream=%s:16514\nFreeBind=yes' "$(with_brackets "$address")"; }
socket_file() { echo "/etc/systemd/system/$libvirt-tls.socket.d/dari.conf"; }

check_settings() {
	for pair in "$libvirt.conf libvirt_settings" "qemu.conf qemu_settings"; do
		found=/etc/libvirt/${pair% *}
		[ "$(block_of "$found")" = "$(${pair#* })" ] || return 1
	done
	found=$(socket_file)
	[ "$(cat "$at$found" 2>/dev/null)" = "$(socket_settings)" ] || return 1
	found="TLS on $address for $control alone"
}
apply_settings() {
	note "daemon libvirt" "$libvirt" && note "restart" wanted &&
		put_block "/etc/libvirt/$libvirt.conf" "$(libvirt_settings)" &&
		put_block /etc/libvirt/qemu.conf "$(qemu_settings)" && put_file "$(socket_file)" 644 0 "$(socket_settings)"
}

served_serial() {
	timeout 10 openssl s_client -connect "$(with_brackets "$address"):16514" </dev/null 2>/dev/null | openssl x509 -noout -serial 2>/dev/null |
		sed 's/.*=//'
}
check_libvirt() {
	have openssl || { found="no openssl"; return 1; }
	noted restart && { found="$libvirt is to read its settings"; return 1; }
	[ -e "$at$server_certificate" ] || { found="no $server_certificate"; return 1; }
	served=$(served_serial)
	[ -n "$served" ] || { found="$libvirt does not speak TLS on $address:16514"; return 1; }
	[ "$served" = "$(serial_of $server_certificate)" ] || { found="$libvirt has another certificate than $server_certificate"; return 1; }
	[ "$(unit_state "$libvirt-tls.socket")" = "enabled active" ] || { found="$libvirt-tls.socket: $(unit_state "$libvirt-tls.socket")"; return 1; }
	found="$libvirt speaks TLS on $address:16514"
}
# Guests go on meanwhile. A socket is taken by the service only when the service starts after it.
apply_libvirt() {
	if ! noted restart && check_settings && check_served &&
		run virt-admin --connect "$libvirt:///system" server-update-tls "$libvirt" && { is_plan || check_libvirt; }; then
		return 0
	fi
	note "unit $libvirt-tls.socket" "$(unit_state "$libvirt-tls.socket")" && run systemctl daemon-reload &&
		run systemctl stop "$libvirt.service" && run systemctl stop "$libvirt-tls.socket" &&
		run systemctl enable "$libvirt-tls.socket" && run systemctl start "$libvirt-tls.socket" &&
		run systemctl start "$libvirt.service" || return 1
	if is_plan; then return 0; fi
	await check_served && { ! noted restart || forget restart; }
}
check_served() { [ -n "$(served_serial)" ]; }
await() { # await COMMAND…, half a minute at most
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 60 ] || { why="$1: not within 30 s"; return 1; }
		sleep 0.5
	done
}

# ---- Open vSwitch and OVN

wanted_ids() {
	printf '%s\n' "system-id $name" "ovn-remote $remote" "ovn-encap-type geneve" "ovn-encap-ip $address"
	[ -z "$uplink" ] || echo "ovn-bridge-mappings $mappings"
}
id_file=/etc/openvswitch/system-id.conf # from which Open vSwitch's start takes its name

check_ovs() {
	mappings=$(external_id ovn-bridge-mappings)
	case ",$mappings," in *",$physical_network:"*) ;; *) mappings=${mappings:+$mappings,}$physical_network:br-ex ;; esac
	is_ovs_there || { found="Open vSwitch does not answer"; return 1; }
	found=$(wanted_ids | while read -r key value; do
		now=$(external_id "$key")
		[ "$now" = "$value" ] || printf '%s: %s, not %s; ' "$key" "${now:-nothing}" "$value"
	done)
	[ -z "$found" ] || return 1
	found="$name, $remote"
	[ ! -d "$at/etc/openvswitch" ] || [ "$(cat "$at$id_file" 2>/dev/null)" = "$name" ] || { found="no $name in $id_file"; return 1; }
}
apply_ovs() {
	if ! is_ovs_there; then
		enable_unit "$(case $family in rhel) echo openvswitch ;; *) echo openvswitch-switch ;; esac).service" || return 1
	fi
	[ ! -d "$at/etc/openvswitch" ] || put_file $id_file 644 0 "$name" || return 1
	wanted_ids >"$work/ids"
	while read -r key value; do set_external_id "$key" "$value" || return 1; done <"$work/ids"
}

# Interfaces below the one that leads to the ssh client: a bridge's ports, a bond's links, a VLAN's parent.
lower_of() {
	for link in "$at/sys/class/net/$1"/lower_*; do
		[ -e "$link" ] || continue
		echo "${link##*/lower_}"
		lower_of "${link##*/lower_}"
	done
}
carries_us() { # carries_us INTERFACE
	way=$(ip -o route get "${SSH_CONNECTION%% *}" 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
	here=$(echo "$SSH_CONNECTION" | cut -d ' ' -f 3)
	{ echo "$way"; lower_of "$way"; ip -o address show | awk -v a="$here" '{ split($4, p, "/") } p[1] == a { print $2 }'; } | grep -qxF "$1"
}
check_bridge() {
	found="none asked for (--uplink): addresses outside are reached through other hosts"
	[ -n "$uplink" ] || return 0
	found="br-ex with $uplink"
	[ "$(ovs port-to-br "$uplink" 2>/dev/null)" = br-ex ] && return 0
	if [ -z "$SSH_CONNECTION" ] || carries_us "$uplink"; then
		found="$uplink carries the connection that this comes by: it would be cut off"
		return 3
	fi
	if [ -n "$(ip -o address show dev "$uplink" scope global 2>/dev/null)" ]; then
		found="$uplink has addresses, which a bridge would take from it: remove them first"
		return 3
	fi
	[ -e "$at/sys/class/net/$uplink" ] || { found="no interface $uplink"; return 3; }
	found="$uplink is not in br-ex"
	return 1
}
apply_bridge() {
	ovs br-exists br-ex 2>/dev/null || note "bridge br-ex" absent || return 1
	note "port $uplink" absent &&
		run ovs-vsctl --timeout=10 --no-wait --may-exist add-br br-ex -- --may-exist add-port br-ex "$uplink" && run ip link set "$uplink" up
}

is_connected() { [ "$(ovn-appctl -t ovn-controller connection-status 2>/dev/null)" = connected ]; }
check_ovn() {
	found="ovn-controller is connected to $remote"
	is_connected && return 0
	found="ovn-controller is not connected to $remote"
	return 1
}
apply_ovn() {
	if is_plan || ! ovn-appctl -t ovn-controller version >/dev/null 2>&1; then
		enable_unit ovn-controller.service || return 1
	fi
	is_plan || await is_connected
}

# ---- reports of traffic, for flow logs

bridge_exporter() { ovs --if-exists get Bridge br-int ipfix 2>/dev/null | tr -d '[]'; }
sample_exporter() { ovs --bare --columns=ipfix find Flow_Sample_Collector_Set "id=$sample_set" 2>/dev/null; }
exporter_target() { [ -z "$1" ] || ovs --if-exists get IPFIX "$1" targets 2>/dev/null | tr -d '[]"'; }
bridge_target() { exporter_target "$(bridge_exporter)"; }
sample_target() { exporter_target "$(sample_exporter)"; }
# A collector at every address of its machine is reached as that machine reached this one.
fill_in_flows() { case $flows in '0.0.0.0:'* | '[::]:'*)
	flows="$(with_brackets "$(echo "$SSH_CONNECTION" | cut -d ' ' -f 1)"):${flows##*:}" ;;
	esac; }

check_flows() {
	fill_in_flows
	there=$(bridge_target)
	if [ -z "$flows" ]; then
		found="none asked for (flow_logs.listen)"
		[ -n "$there" ] && noted ipfix || return 0
		found="sent to $there; none asked for (flow_logs.listen)"
		return 1
	fi
	found="sent to $flows"
	[ "$there" = "$flows" ] && [ "$(sample_target)" = "$flows" ] && return 0
	if [ -n "$there" ] && [ "$there" != "$flows" ] && [ "$there" != "$(value_of ipfix)" ]; then
		found="br-int reports to $there, which is not of dari: it stays, and flow logs have nothing of this host"
		return 2
	fi
	found="br-int reports to ${there:-nothing}, drops to $(sample_target | sed 's/^$/nothing/'); not to $flows"
	return 1
}
drop_flows() {
	for old in $(ovs --bare --columns=_uuid find Flow_Sample_Collector_Set "id=$sample_set" 2>/dev/null); do
		run ovs-vsctl --timeout=10 --no-wait destroy Flow_Sample_Collector_Set "$old" || return 1
	done
	[ -z "$(bridge_exporter)" ] || run ovs-vsctl --timeout=10 --no-wait clear Bridge br-int ipfix
}
apply_flows() {
	drop_flows || return 1
	if [ -z "$flows" ]; then
		is_plan || forget ipfix
		return
	fi
	note_again ipfix "$flows" &&
		run ovs-vsctl --timeout=10 --no-wait --id=@bridge get Bridge br-int -- \
			--id=@all create IPFIX "targets=\"$flows\"" sampling=1 cache_active_timeout=10 cache_max_flows=65535 -- \
			--id=@drops create IPFIX "targets=\"$flows\"" cache_active_timeout=10 cache_max_flows=65535 -- \
			set Bridge br-int ipfix=@all -- \
			create Flow_Sample_Collector_Set "id=$sample_set" bridge=@bridge ipfix=@drops
}

# ---- firewall: ufw and firewalld, where one of them runs

# Inbound traffic to allow: libvirt from dari; tunnels and live migrations from other hosts.
wanted_rules() {
	printf '%s\n' "$(echo "$SSH_CONNECTION" | cut -d ' ' -f 1) tcp 16514" "$underlay tcp 49152:49215" "$underlay udp 6081"
}
find_firewall() {
	firewall=
	if have ufw && ufw status 2>/dev/null | grep -q '^Status: active'; then
		firewall=ufw
	elif have firewall-cmd && firewall-cmd --state >/dev/null 2>&1; then
		firewall=firewalld
	fi
}
rich_rule() { # rich_rule NETWORK PROTOCOL PORTS
	case $1 in *:*) version=ipv6 ;; *) version=ipv4 ;; esac
	echo "rule family=\"$version\" source address=\"$1\" port port=\"$(echo "$3" | tr : -)\" protocol=\"$2\" accept"
}
has_rule() { case $firewall in
	ufw) ufw show added 2>/dev/null | grep -qxF "ufw allow from $1 to any port $3 proto $2" ;;
	firewalld) firewall-cmd --query-rich-rule="$(rich_rule "$@")" >/dev/null 2>&1 &&
		firewall-cmd --permanent --query-rich-rule="$(rich_rule "$@")" >/dev/null 2>&1 ;;
	esac; }
add_rule() { case $firewall in
	ufw) run ufw allow from "$1" to any port "$3" proto "$2" ;;
	firewalld) run firewall-cmd --permanent --add-rich-rule="$(rich_rule "$@")" && run firewall-cmd --add-rich-rule="$(rich_rule "$@")" ;;
	esac; }
remove_rule() { case $firewall in
	ufw) run ufw delete allow from "$1" to any port "$3" proto "$2" ;;
	firewalld) run firewall-cmd --permanent --remove-rich-rule="$(rich_rule "$@")" && run firewall-cmd --remove-rich-rule="$(rich_rule "$@")" ;;
	esac; }

check_firewall() {
	find_firewall
	if [ -z "$firewall" ]; then
		found="neither ufw nor firewalld runs"
		if have nft && nft list ruleset 2>/dev/null | grep -q 'hook input.*policy drop'; then
			found="nftables drops what it does not know; let in by your own rules: $(wanted_rules | tr '\n' ';')"
			return 2
		fi
		return 0
	fi
	wanted_rules >"$work/rules"
	while read -r rule; do
		# shellcheck disable=SC2086 # network, protocol, ports
		has_rule $rule || { found="$firewall does not let in $rule"; return 1; }
	done <"$work/rules"
	found="$firewall lets in dari, tunnels and guests that migrate"
}
apply_firewall() {
	while read -r rule; do
		# shellcheck disable=SC2086 # likewise
		has_rule $rule || { note "rule $rule" absent && add_rule $rule; } || return 1
	done <"$work/rules"
}

# ---- facts about the host, read only

tell_facts() {
	[ ! -e "$at$server_certificate" ] || say fact certificate "$(base64 -w 0 <"$at$server_certificate")"
	[ ! -e "$at$ca_certificate" ] || say fact trusted "$(base64 -w 0 <"$at$ca_certificate")"
	say fact system "$system $(uname -m)"
	say fact kvm "$([ -c /dev/kvm ] && echo /dev/kvm || echo "none: guests are emulated, and slow")"
	for module in kvm_intel kvm_amd; do
		[ ! -e "/sys/module/$module/parameters/nested" ] || say fact nested "$(cat "/sys/module/$module/parameters/nested")"
	done
	say fact hugepages "$(awk '/^HugePages_Total/ { print $2 }' /proc/meminfo)"
}

# ---- the course of it

steps="time packages pool guests certificates settings libvirt ovs bridge ovn flows firewall"

look_at_system() {
	os_field() { sed -n "s/^$1=//p" "$at/etc/os-release" 2>/dev/null | tr -d '"'; }
	system="$(os_field ID) $(os_field VERSION_ID)"
	family=debian
	case $system in
	'debian 12' | 'debian 13' | 'ubuntu '??.04) say ok system "$system" ;;
	'rhel 9'* | 'rocky 9'* | 'almalinux 9'* | 'centos 9'*)
		family=rhel
		say note system "$system: built from its documentation, and not tried; Open vSwitch and OVN have to be there already" ;;
	*)
		say wrong system "$system: hosts are of Debian 12 or 13, Ubuntu LTS, or RHEL 9 and its like"
		return 1 ;;
	esac
}

# Fills in what the caller left out: the host's address, as ssh reached it; its name; the network of its address.
fill_in() {
	[ -n "$address" ] || address=$(echo "$SSH_CONNECTION" | cut -d ' ' -f 3)
	[ -n "$name" ] || name=$(value_of host)
	[ -n "$name" ] || name=$(uname -n | cut -d . -f 1)
	case $address in *:*) whole=128 ;; *) whole=32 ;; esac
	if [ -z "$underlay" ]; then
		device=$(ip -o address show 2>/dev/null | awk -v a="$address" '{ split($4, p, "/") } p[1] == a { print $2; exit }')
		[ -z "$device" ] || underlay=$(ip -o "$(case $address in *:*) echo -6 ;; *) echo -4 ;; esac)" route show dev "$device" proto kernel scope link 2>/dev/null | awk '$1 ~ /\// { print $1; exit }')
		underlay=${underlay:-$address/$whole}
	fi
	case $name in '' | *[!A-Za-z0-9._-]*) say wrong name "'$name' cannot name a host: --name"; return 1 ;; esac
	[ -n "$address" ] || { say wrong address "not known: --address"; return 1; }
	say fact name "$name"
	say fact address "$address"
}

begin_marker() {
	if is_plan || [ -e "$marker" ]; then return 0; fi
	{
		echo "# What dari host add changed here, each with what was there before: dari host remove NAME --undo takes it back."
		write_note region "$region"
		write_note host "$name"
	} | rewrite_marker
}

do_step() {
	step=$1 found='' why=''
	find_libvirt
	"check_$step"
	case $? in
	0) say ok "$step" "$found"; return 0 ;;
	2) say note "$step" "$found"; return 0 ;;
	3) say wrong "$step" "$found"; is_plan; return ;;
	esac
	if is_plan; then
		say would "$step" "$found"
		"apply_$step"
		return 0
	fi
	before=$found
	"apply_$step" || { say wrong "$step" "${why:-$found}"; return 1; }
	[ -z "$wants_certificates" ] || return 1
	"check_$step"
	case $? in
	0 | 2) say changed "$step" "$found" ;;
	*) say wrong "$step" "$found (was: $before)"; return 1 ;;
	esac
}

do_steps() {
	for one in $steps; do
		case " ${only:-$steps} " in *" $one "*) do_step "$one" || return ;; esac
	done
	tell_facts
}

# ---- undo: the notes, backwards

undo_unit() { # undo_unit NAME STATES: "disabled inactive" and the like
	systemctl cat "$1" >/dev/null 2>&1 || return 0
	case $2 in *' active') ;; *) run systemctl stop "$1" || return 1 ;; esac
	case $2 in
	enabled*) run systemctl enable "$1" ;;
	masked* | static*) ;;
	*) run systemctl disable "$1" ;;
	esac
}
undo_ovs() { # undo_ovs KEY BEFORE: unless somebody else has changed it since
	is_ovs_there || return 0
	now=$(external_id "$1")
	[ "$now" = "$(value_of "ovs-set $1")" ] || { [ "was $now" = "$2" ] || say note "$step" "external_ids:$1 is $now, which is not of dari: it stays"; return 0; }
	case $2 in
	'was '*) run ovs-vsctl --timeout=10 --no-wait set Open_vSwitch . "external_ids:$1=\"${2#was }\"" ;;
	*) run ovs-vsctl --timeout=10 --no-wait remove Open_vSwitch . external_ids "$1" ;;
	esac
}
undo_flows() { # undo_flows TARGET: unless somebody else has changed it since
	is_ovs_there && [ -n "$(bridge_target)" ] || return 0
	if [ "$(bridge_target)" = "$1" ]; then drop_flows; else say note "$step" "br-int reports to $(bridge_target), which is not of dari: it stays"; fi
}
undo_block() {
	[ -e "$at$1" ] || return 0
	if is_plan; then
		say command "$step" "take dari's lines out of $1"
		return 0
	fi
	without_block "$1" >"$work/block"
	if [ "$2" = made ] && [ ! -s "$work/block" ]; then run rm -f "$at$1"; else write_back "$1" <"$work/block"; fi
}
undo_file() {
	if [ "$2" = absent ]; then
		run rm -f "$at$1"
	elif [ -e "$at$1.dari-before" ]; then
		run mv "$at$1.dari-before" "$at$1"
	fi
}
undo_packages() { # those that came with it, unless something else needs them by now
	# shellcheck disable=SC2086 # a word for each package
	if [ "$family" = rhel ]; then
		say note "$step" "packages stay: $1"
		return 0
	fi
	# shellcheck disable=SC2086 # likewise
	there=$(installed_packages | grep -xF "$(echo $1 | tr ' ' '\n')" | tr '\n' ' ')
	[ -n "$there" ] || return 0
	# shellcheck disable=SC2086 # likewise
	others=$(apt -s purge $there 2>/dev/null | sed -n 's/^\(Purg\|Remv\) \([^ ]*\).*/\2/p' | grep -vxF "$(echo $there | tr ' ' '\n')" | tr '\n' ' ')
	if [ -n "$others" ]; then
		say note "$step" "packages stay, because others need them ($others): $there"
		return 0
	fi
	# shellcheck disable=SC2086 # likewise
	apt_with purge $there
}
restart_libvirt() {
	systemctl cat "$1.service" >/dev/null 2>&1 || return 0
	run systemctl daemon-reload && run systemctl restart "$1.service"
}
undo_bridge() { # ports of OVN's own go with it
	others=$(ovs list-ports "$1" 2>/dev/null | grep -v '^patch-' | one_line)
	if ! is_plan && [ -n "$others" ]; then
		say note "$step" "$1 stays: somebody else put $others into it"
		return 0
	fi
	run ovs-vsctl --timeout=10 --no-wait --if-exists del-br "$1"
}
undo_rule() {
	find_firewall
	# shellcheck disable=SC2086 # network, protocol, ports
	! has_rule $1 || remove_rule $1
}
local_virsh() { virsh --connect qemu:///system "$@"; }
undo_directory() {
	[ -d "$at$1" ] || return 0
	if [ -z "$(ls -A "$at$1")" ]; then run rmdir "$at$1"; elif ! is_plan; then say note "$step" "$1 stays: it is not empty"; fi
}
undo_pools() { # libvirt's names for directories, which dari gave; the files stay
	local_virsh pool-list --all --name 2>/dev/null | tr -d ' ' | grep "^dari-${region%%-*}\(-.*\)\{0,1\}$" >"$work/pools"
	while read -r one; do
		! has_pool "$one" || run virsh --connect qemu:///system pool-destroy "$one" || return 1
		! has_pool "$one" --all --persistent || run virsh --connect qemu:///system pool-undefine "$one" || return 1
	done <"$work/pools"
}
has_pool() {
	one=$1
	shift
	local_virsh pool-list --name "$@" | tr -d ' ' | grep -qxF "$one"
}
undo_note() { # undo_note KIND WHAT BEFORE
	case $1 in
	directory) undo_directory "$2" ;;
	file) undo_file "$2" "$3" ;;
	next) run rm -f "$at$2.dari-next" "$at$2.dari-new" ;;
	block) undo_block "$2" "$3" ;;
	unit) undo_unit "$2" "$3" ;;
	daemon) restart_libvirt "$3" ;;
	ovs) undo_ovs "$2" "$3" ;;
	ipfix) undo_flows "$3" ;;
	bridge) undo_bridge "$2" ;;
	port) run ovs-vsctl --timeout=10 --no-wait --if-exists del-port br-ex "$2" ;;
	rule) undo_rule "$2" ;;
	packages) undo_packages "$3" ;;
	esac
}

undo_all() {
	if [ ! -e "$marker" ]; then
		say ok undo "nothing here is of dari host add"
		return 0
	fi
	guests=$(local_virsh list --name 2>/dev/null | one_line)
	if [ -n "$guests" ]; then
		say wrong undo "guests run here: $guests"
		return 1
	fi
	step=pools
	undo_pools || { say wrong pools "$why"; return 1; }
	sed -n "s/^\([a-z].*\): '.*/\1/p" "$marker" | sed '1!G;h;$!d' | grep -vx packages >"$work/notes"
	! noted packages || echo packages >>"$work/notes" # last: the tools to take back the rest with are of them
	while read -r kind what; do
		key=$kind${what:+ $what}
		case $kind in region | host | restart | ovs-set) continue ;; esac
		step=$kind why=''
		before=$(value_of "$key")
		undo_note "$kind" "$what" "$before" || { say wrong "$step" "$why"; return 1; }
		if is_plan; then continue; fi
		say changed "$step" "$what"
		forget "$key" || return 1
	done <"$work/notes"
	if ! is_plan; then rm -f "$marker"; fi
}

begin() { # what every mode begins with
	if [ "$(id -u)" != 0 ]; then
		say wrong user "$(id -un): dari works on hosts as root: root@ADDRESS"
		return 1
	fi
	if ! is_plan; then # one at a time: an earlier one may still run, whose ssh was cut off
		mkdir -p "$at/run/lock"
		exec 9>"$at/run/lock/dari-host"
		flock -w 120 9 || { say wrong lock "another dari host add or remove works on this host"; return 1; }
	fi
	owner=$(value_of region)
	if [ -n "$owner" ] && [ "$owner" != "$region" ]; then
		say wrong marker "$marker says that this host is of another region: $owner"
		return 1
	fi
	look_at_system
}

dari_host() {
	PATH=$PATH:/usr/sbin:/sbin
	LC_ALL=C
	export PATH LC_ALL
	umask 022
	at=${DARI_HOST_ROOT-} # tests have their own
	marker=$at/etc/dari-host.yaml
	wants_certificates=
	work=$(mktemp -d) || exit 1
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' HUP INT PIPE TERM
	printf '%s\n' "$ca" >"$work/ca"
	case $mode in
	*undo) begin && undo_all ;;
	*) begin && fill_in && begin_marker && do_steps ;;
	esac
	say end "" ""
}
dari_host </dev/null

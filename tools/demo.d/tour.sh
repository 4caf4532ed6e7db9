# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/demo: what a newcomer does, with the stock aws command, and then with openstack.

aws() { /usr/bin/aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }
openstack() { OS_CLIENT_CONFIG_FILE=$demo/clouds.yaml /usr/bin/openstack --os-cloud demo "$@"; }
inet() { tools/sandbox on inet "$@"; }
ssh_in() { inet ssh -i "$key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
    -o ConnectTimeout=$ssh_limit -o BatchMode=yes "$login@$1" "${@:2}"; }

point_aws() {
    local lines
    lines=$("$dari" env demo | grep '^export ')
    eval "$lines"
}

# Removes remains of an earlier tour: terminates its instances, releases its address.
sweep() {
    local old addresses
    old=$(aws ec2 describe-instances --filters Name=tag:Name,Values=tour \
        Name=instance-state-name,Values=pending,running,stopping,stopped \
        --query 'Reservations[].Instances[].InstanceId' --output text)
    [ -z "$old" ] || {
        quiet=1 show aws ec2 terminate-instances --instance-ids $old
        quiet=1 show aws ec2 wait instance-terminated --instance-ids $old
    }
    addresses=$(aws ec2 describe-addresses --query 'Addresses[].AllocationId' --output text)
    for old in $addresses; do quiet=1 show aws ec2 release-address --allocation-id "$old"; done
}

import_key() {
    [ -f "$key" ] || ssh-keygen -q -t ed25519 -N '' -C tour -f "$key"
    aws ec2 describe-key-pairs --key-names tour >/dev/null 2>&1 ||
        show aws ec2 import-key-pair --key-name tour --public-key-material "fileb://$key.pub"
}

make_group() {
    group=$(aws ec2 describe-security-groups --filters Name=group-name,Values=tour \
        --query 'SecurityGroups[].GroupId' --output text)
    [ -n "$group" ] && return
    show aws ec2 create-security-group --group-name tour --description 'ssh from anywhere' --query GroupId --output text
    group=$output
    show aws ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 22 --cidr 0.0.0.0/0 \
        --query Return
    show aws ec2 authorize-security-group-ingress --group-id "$group" --protocol icmp --port -1 --source-group "$group" \
        --query Return
}

launch() {
    local ami
    ami=$(aws ec2 describe-images --filters "Name=name,Values=$image" --query 'Images[0].ImageId' --output text)
    printf '#!/bin/sh\necho "hello from user-data on $(hostname)"\n' >"$demo/user-data"
    show aws ec2 run-instances --image-id "$ami" --count 2 --instance-type t2.nano --key-name tour \
        --security-group-ids "$group" --user-data "file://$demo/user-data" \
        --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=tour}]' \
        --query 'Instances[].[InstanceId,State.Name,PrivateIpAddress]' --output text
    ids=$(awk '{print $1}' <<<"$output")
    first=$(sed -n 1p <<<"$ids") second=$(sed -n 2p <<<"$ids")
    quiet=1 show aws ec2 wait instance-running --instance-ids $first $second
    check "they run on different hosts" different_hosts
}

different_hosts() {
    local a b
    a=$("$dari" explain "$first" | awk '$1 == "host" {print $2}')
    b=$("$dari" explain "$second" | awk '$1 == "host" {print $2}')
    [ -n "$a" ] && [ "$a" != "$b" ]
}

console_says() { aws ec2 get-console-output --instance-id "$1" --latest --output text 2>/dev/null | grep "$2" >/dev/null; }

show_console() {
    until_true $boot_limit "user-data ran" console_says "$first" 'hello from user-data'
    quiet=1 show aws ec2 get-console-output --instance-id "$first" --latest --query Output --output text
    tail -n 12 <<<"$output"
}

reach_it() {
    show aws ec2 allocate-address --query '[AllocationId,PublicIp]' --output text
    read -r allocation public_ip <<<"$output"
    show aws ec2 associate-address --instance-id "$first" --allocation-id "$allocation" --query AssociationId --output text
    until_true $boot_limit "ssh answers on the elastic address" ssh_answers
    echo "from the internet's side:"
    show ssh_in "$public_ip" 'echo "logged in on $(hostname), disk $(cat /sys/block/vda/size) sectors"'
}

ssh_answers() { ssh_in "$public_ip" true 2>/dev/null; }

reach_the_other() {
    name=$(aws ec2 describe-instances --instance-ids "$second" \
        --query 'Reservations[0].Instances[0].PrivateDnsName' --output text)
    until_true $boot_limit "the second has booted, too" console_says "$second" 'hello from user-data'
    echo "from the first instance, to the second by its private name:"
    show ssh_in "$public_ip" "ping -c 2 $name"
}

# A web server on port 8080, and a request to it, with the image's tools.
web_server() {
    case $image in
    tiny) echo 'httpd -p 8080 -h /tmp' ;;
    debian) echo 'nohup python3 -m http.server -d /tmp 8080 >/dev/null 2>&1 &' ;;
    esac
}
web_client() {
    case $image in
    tiny) echo 'timeout 5 wget -q -O /dev/null http://127.0.0.1:8080/index.html' ;;
    debian) echo 'for n in $(seq 20); do echo >/dev/tcp/127.0.0.1/8080 && exit 0; sleep 1; done; exit 1' ;;
    esac
}

port_is_closed() { ! inet curl -s -o /dev/null -m 3 "http://$public_ip:8080/"; }

closed_port() {
    ssh_in "$public_ip" "echo hi >/tmp/index.html; $(web_server)"
    check "something answers on port 8080 in the guest" ssh_in "$public_ip" "$(web_client)"
    check "port 8080, which the group does not open, is closed from outside" port_is_closed
}

# The UUID that begins with the EC2 id's 17 digits.
server_of() {
    openstack server list -f value -c ID | while read -r server; do
        [[ i-${server//-/} != "$1"* ]] || echo "$server"
    done
}
is_stopped() { [ "$(aws ec2 describe-instances --instance-ids "$second" --query 'Reservations[].Instances[].State.Name' --output text)" = stopped ]; }

second_face() {
    local server
    title "The same machines, with the stock openstack command"
    [ -f "$demo/clouds.yaml" ] || quiet=1 show "$dari" account rc demo --directory "$demo"
    show openstack server list -c ID -c Name -c Status -c Flavor
    server=$(server_of "$second")
    check "what aws launched is listed" test -n "$server"
    show openstack server stop "$server"
    until_true 180 "aws sees it stopped" is_stopped
    show openstack server show "$server" -c status -c addresses -c flavor -c security_groups
}

end_one() {
    show aws ec2 terminate-instances --instance-ids "$second" \
        --query 'TerminatingInstances[].[InstanceId,PreviousState.Name,CurrentState.Name]' --output text
    quiet=1 show aws ec2 wait instance-terminated --instance-ids "$second"
    show aws ec2 describe-instances --filters Name=tag:Name,Values=tour \
        --query 'Reservations[].Instances[].[InstanceId,State.Name,PublicIpAddress]' --output text
    kept=$first
}

tour() {
    title "What a newcomer does, with the stock aws command"
    point_aws
    sweep
    import_key
    make_group
    launch
    show_console
    reach_it
    reach_the_other
    closed_port
    second_face
    end_one
}

# SPDX-License-Identifier: BSD-2-Clause
# fish completion for sonde

# The names that --services lists, in some of its parts: Presets, Names, UDP.
function __sonde_names
    set -l program (commandline -opc)[1]
    set -l part
    for line in ($program --services 2>/dev/null)
        if string match -qr '^[A-Z]' -- $line
            set part (string match -r '^\w+' -- $line)
        else if contains -- "$part" $argv
            string match -rg '^  ([a-z@]\S*)' -- $line
        end
    end
end

# The word before the cursor without quotes, or what stands behind the "=" of a long option.
function __sonde_word
    string replace -r '^--[a-z-]+=' '' -- (commandline -ct | string unescape 2>/dev/null; or commandline -ct)
end

# Complete the last element of a list such as "ssh,htt", "@web,443/u". $argv[1]: what stands before the
# list; $argv[2]: the list; $argv[3]: what is put behind a name.
function __sonde_services
    set -l head (string match -r '^.*,' -- $argv[2])
    set -l port (string match -r '^[^,]*/' -- (string replace -r '^.*,' '' -- $argv[2]))
    if test -n "$port"
        printf '%s\n' "$argv[1]$head$port"{tcp,udp,sctp,(__sonde_names UDP)}"$argv[3]"
    else
        printf '%s\n' "$argv[1]$head"{icmp,(__sonde_names Presets Names UDP)}"$argv[3]"
    end
end

# Complete what is expected: "web1:22=closed|fil".
function __sonde_expected
    set -l word (__sonde_word)
    set -l head (string match -r '^.*,' -- $word)
    set -l last (string replace -r '^.*,' '' -- $word)
    if string match -q '*=*' -- $last
        set -l said (string match -r '^[^=]*=!?(?:.*\|)?' -- $last)
        printf '%s\n' "$head$said"{open,closed,filtered,rejected,open_or_filtered,unreachable,up}
    else
        set -l target (string match -r '^.*:' -- $last)
        __sonde_services "$head$target" (string replace -r '^.*:' '' -- $last) =
    end
end

# Complete a file behind an "@".
function __sonde_bytes
    set -l word (__sonde_word)
    string match -q '@*' -- $word; and printf '@%s\n' (__fish_complete_path (string sub -s 2 -- $word))
end

# Complete a target, or services of the one before.
function __sonde_target
    set -l word (__sonde_word)
    switch $word
        case ':*'
            __sonde_services : (string sub -s 2 -- $word)
        case '@*'
            __sonde_services '' $word
        case '*://*'
        case '*'
            if string match -qr '^\d+(-\d+)?/' -- $word
                __sonde_services '' $word
            else if string match -qr '^(\[.*\]|[^:]+):[^:]*$' -- $word
                __sonde_services (string match -r '^.*:' -- $word) (string replace -r '^.*:' '' -- $word)
            else
                __fish_print_hostnames
            end
    end
end

complete -c sonde -f -a '(__sonde_target)'
complete -c sonde -s 4 -l ipv4 -d 'use IPv4 only'
complete -c sonde -s 6 -l ipv6 -d 'use IPv6 only'
complete -c sonde -s F -l filename -rF -d 'read targets from a file'
complete -c sonde -l all-addresses -d 'take every address of a name'
complete -c sonde -l many -d 'allow 64 services a target'
complete -c sonde -l services -d 'list service names and presets'
complete -c sonde -s T -l tcp -d 'ports without a protocol are TCP'
complete -c sonde -s u -l udp -d 'ports without a protocol are UDP'
complete -c sonde -s P -l port -x -a '(__sonde_services "" (__sonde_word))' -d 'probe these services at every target'
complete -c sonde -l no-icmp -d 'do not add icmp as control'
complete -c sonde -l unprivileged -d 'use no raw sockets'
complete -c sonde -l flows -x -d 'probe N flows of each service side by side'
complete -c sonde -l no-control -d 'compare a silent port with no other'
complete -c sonde -l expect -x -a '(__sonde_expected)' -d 'what services are to be, as in 22=closed'
complete -c sonde -l warn -x -d 'RTT_MS,LOSS% above which a service is degraded'
complete -c sonde -l crit -x -d 'RTT_MS,LOSS% above which a service has failed'
complete -c sonde -s f -l first-ttl -x -d 'begin the path at this TTL'
complete -c sonde -s m -l max-ttl -x -d 'end the path at this TTL'
complete -c sonde -s U -l max-unknown -x -d 'give a path up after N silent hops'
complete -c sonde -l payload -x -a '(__sonde_bytes)' -d 'ask UDP ports this: hexadecimal digits or @FILE'
complete -c sonde -l expect-reply -x -a '(__sonde_bytes)' -d 'take only answers that begin so'
complete -c sonde -s s -l psize -x -d 'packet size with headers'
complete -c sonde -s B -l bitpattern -x -d 'fill payloads with this byte'
complete -c sonde -s Q -l tos -x -a 'cs{0,1,2,3,4,5,6,7} af{1,2,3,4}{1,2,3} ef le va' -d 'type of service, traffic class'
complete -c sonde -s a -l address -x -d 'send from this address'
complete -c sonde -s I -l interface -x -a '(command ls /sys/class/net)' -d 'send through this interface'
complete -c sonde -s L -l localport -x -d 'send TCP, UDP and SCTP from this port'
complete -c sonde -s M -l mark -x -d 'mark packets'
complete -c sonde -s c -l report-cycles -x -d 'cycles; 0 = no end'
complete -c sonde -s i -l interval -x -d 'seconds from cycle to cycle'
complete -c sonde -s Z -l timeout -x -d 'seconds until a probe is lost'
complete -c sonde -l deadline -x -d 'seconds for the whole run'
complete -c sonde -l rate -x -d 'packets a second at most'
complete -c sonde -s r -l report -d 'a text report'
complete -c sonde -s w -l report-wide -d 'a text report as wide as need be'
complete -c sonde -s j -l json -d 'one JSON document'
complete -c sonde -s q -l quiet -d 'print nothing'
complete -c sonde -s n -l no-dns -d 'no names'
complete -c sonde -s b -l show-ips -d 'names and addresses'
complete -c sonde -s e -l mpls -d 'MPLS labels and other extensions'
complete -c sonde -l color -x -a 'auto always never' -d 'colours'
complete -c sonde -l ascii -d 'no characters beyond ASCII'
complete -c sonde -l print-schema -d 'print the JSON Schema of -j, or of --stream'
complete -c sonde -l stream -d 'what happens, as JSON Lines'
complete -c sonde -l record -rF -d 'keep all that happens in a file'
complete -c sonde -l replay -rF -d 'show what was kept in a file'
complete -c sonde -l simulate -rF -a demo -d 'run on a simulated network'
complete -c sonde -l virtual-time -d 'simulate as fast as the machine can'
complete -c sonde -l doctor -d 'what this system lets sonde do'
complete -c sonde -s h -l help -d 'a summary'
complete -c sonde -s v -s V -l version -d 'the version'

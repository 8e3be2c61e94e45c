# tries: to overflow the parser
# ends: exit_code
# within: 4
# prints: 
eval("(" * 60000)

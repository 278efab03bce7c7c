# embed.cmake: writes OUT, a C source with the bytes of FILES, whose declarations are in
# sim_site_files.h: index.html becomes sim_site_index_html.
set(text "#include \"sim_site_files.h\"\n")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  string(MAKE_C_IDENTIFIER "sim_site_${name}" name)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND text "\nconst unsigned char ${name}[] = { ${bytes}0 };\n"
                     "const size_t ${name}_len = sizeof(${name}) - 1;\n")
endforeach()
file(WRITE ${OUT} "${text}")

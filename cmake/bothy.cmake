# How every folder of src/ becomes a library and a test program.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "Bothy needs clang 19 or g++ 12, this is clang ${CMAKE_CXX_COMPILER_VERSION}: "
                      "use a preset (cmake --preset release)")
endif()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS json)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# Flags that change numbers are the same everywhere: a fused multiply-add is written, never inferred, so that results
# do not depend on the compiler or on the instruction set it was allowed.
add_compile_options(-ffp-contract=off -fno-math-errno)
add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
                    -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns about arithmetic on narrow types and about bounds that it cannot see; clang is the judge.
  add_compile_options(-Wno-conversion -Wno-sign-conversion -Wno-maybe-uninitialized -Wno-array-bounds
                      -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict -Wno-dangling-pointer -Wno-shadow)
endif()
if(BOTHY_WERROR)
  add_compile_options(-Werror)
endif()
if(BOTHY_CHECKS)
  add_compile_definitions(BOTHY_CHECKS=1 _GLIBCXX_ASSERTIONS=1)
endif()
if(BOTHY_SANITIZE)
  add_compile_options(-fsanitize=${BOTHY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${BOTHY_SANITIZE})
endif()
if(BOTHY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(BOTHY_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  add_library(bothy_testing STATIC ${CMAKE_SOURCE_DIR}/src/base/testing.cc)
  target_include_directories(bothy_testing PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_compile_definitions(bothy_testing PRIVATE BOTHY_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(bothy_testing PUBLIC GTest::gmock bothy_base)
endif()

# Kernels live in one file an instruction set; the file's ending says which, and only code that was chosen at run time
# may call into it. tools/check_isa_symbols makes sure that nothing else of such a file can be linked by accident.
set(BOTHY_FLAGS_avx2 -mavx2 -mfma -mf16c)
set(BOTHY_FLAGS_avx512 -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mprefer-vector-width=512)

# bothy_library(NAME LINK library...): src/NAME/**/*.cc without tests becomes bothy_NAME; src/NAME/**/*_test.cc becomes
# the program NAME_test.
function(bothy_library name)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main|/testing)\\.cc$")
  foreach(isa avx2 avx512)
    set(files ${sources})
    list(FILTER files INCLUDE REGEX "_${isa}\\.cc$")
    if(files)
      set_source_files_properties(${files} PROPERTIES COMPILE_OPTIONS "${BOTHY_FLAGS_${isa}}")
    endif()
  endforeach()
  set(links "")
  foreach(library ${arg_LINK})
    if(EXISTS ${CMAKE_SOURCE_DIR}/src/${library})
      list(APPEND links bothy_${library})
    else()
      list(APPEND links ${library})
    endif()
  endforeach()
  add_library(bothy_${name} STATIC ${sources})
  target_include_directories(bothy_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(bothy_${name} PUBLIC ${links})
  if(BOTHY_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE bothy_${name} bothy_testing)
    add_test(NAME ${name}_test COMMAND ${name}_test)
  endif()
endfunction()

# bothy_list(FOLDER MARKER HEADER): writes generated/HEADER with one line MARKER_ENTRY(name) for every .cc file in
# src/FOLDER that says MARKER(name). A new model or subcommand is a new file; nothing else is edited.
function(bothy_list folder marker header)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.cc)
  set(text "// Generated from the files of src/${folder} that say ${marker}(name).\n")
  foreach(file ${files})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(STRINGS ${file} lines REGEX "^${marker}\\(")
    foreach(line ${lines})
      string(REGEX REPLACE "^${marker}\\(([A-Za-z0-9_]+).*" "\\1" entry "${line}")
      string(APPEND text "${marker}_ENTRY(${entry})\n")
    endforeach()
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/${header} CONTENT "${text}" @ONLY)
endfunction()

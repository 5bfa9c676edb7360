"""Contracts in Solidity that the tests deploy."""

REGISTER = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

contract Register {
    struct Entry { address holder; uint16[] terms; string note; }

    error Taken(bytes32 key);
    event Written(bytes32 indexed key, address by, uint256 number);

    uint256 public number;
    address public keeper;
    mapping(bytes32 => Entry) private entries;

    function initialize(uint256 first) external {
        require(keeper == address(0), "initialized already");
        keeper = msg.sender;
        number = first;
    }

    function write(bytes32 key, Entry calldata entry) external {
        if (entries[key].holder != address(0)) revert Taken(key);
        entries[key] = entry;
        number += 1;
        emit Written(key, msg.sender, number);
    }

    function read(bytes32 key) external view returns (Entry memory entry) {
        entry = entries[key];
        require(entry.holder != address(0), "no such entry");
    }
}
"""
SECOND = REGISTER.replace(
    'require(entry.holder != address(0), "no such entry");', 'entry.note = string.concat(entry.note, " (2)");'
).replace(
    "mapping(bytes32 => Entry) private entries;", "mapping(bytes32 => Entry) private entries;\n    bool public more;"
)
MOVED = REGISTER.replace(
    "uint256 public number;\n    address public keeper;", "address public keeper;\n    uint256 public number;"
)
PAUSABLE = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

contract Till {
    address private immutable owner;
    bool public paused;
    uint256 public sum;

    constructor(uint256 first) { owner = msg.sender; sum = first; }

    function pause() external { require(msg.sender == owner, "not yours"); paused = true; }
    function unpause() external { require(msg.sender == owner, "not yours"); paused = false; }
    function add(uint256 amount) external { require(!paused, "paused"); sum += amount; }
}
"""
